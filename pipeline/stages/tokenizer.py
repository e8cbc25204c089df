"""Corpus -> a tokenizer on which all libraries agree, or one adopted from another model; and a report on its quality.
How it is trained, exported and judged is in the package tokenizer/."""
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from corpora.errors import require
from pipeline.artifacts.files import write_json
from pipeline.artifacts.manifest import SCRATCH
from pipeline.artifacts.parquet import read_batches
from pipeline.executors import Context
from pipeline.models.folder import model_folder
from pipeline.reports.plots import plot_bars
from pipeline.reports.render import write_page
from tokenizer import quality
from tokenizer.export import export
from tokenizer.train import draw_sample, train_model, write_lines

SAME_NAMES = ("model_type", "vocab_size", "character_coverage", "superwords", "split_by_unicode_script", "split_digits",
              "treat_whitespace_as_suffix")  # of settings and train_model
HELD_OUT_BYTES = 500_000  # of each source


def run(settings, inputs: dict[str, Path], folder: Path, context: Context) -> dict:
    sample, held_out = draw_texts(inputs["corpus"], settings)
    if settings.init:
        report = adopt(settings.init, folder, held_out)
    else:
        (folder / SCRATCH).mkdir(exist_ok=True)
        lines = folder / SCRATCH / "lines.txt"
        counts = write_lines(sample, lines, settings.morphemes, context.workers)
        del sample  # SentencePiece needs the memory
        export(train_model(lines, **{name: getattr(settings, name) for name in SAME_NAMES}), folder)
        encoders = quality.open_encoders(folder)
        quality.check_nasty_strings(encoders)
        report = quality.describe(encoders, held_out) | {"trained_on": counts}
        found = report["all"]
        require(not found["problems"], f"tokenizer gate: {found['problems']} of {found['documents']} held-out "
                                       f"documents fail. The first: {found['first_problem']}")
    write_report(folder, [report | {"name": "this tokenizer"}])
    write_page(folder / "README.md", "tokenizer", settings=settings, report=report,
               nasty_strings=len(quality.NASTY_STRINGS))
    return {"vocab_size": report["vocab_size"], "held_out": report["all"]}


def read_texts(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the texts in a corpus's files, one small batch of rows in memory at a time."""
    for path in paths:
        for batch in read_batches(path, ["text"]):
            yield from batch["text"].to_pylist()


def draw_texts(corpus: Path, settings) -> tuple[list[str], dict[str, list[str]]]:
    """The documents to train on, none if a tokenizer is adopted, which was trained elsewhere; and up to HELD_OUT_BYTES
    of every source's text that isn't among them. Raises UserError if there is none."""
    texts = () if settings.init else read_texts(sorted((corpus / "train").glob("*.parquet")))
    sample = draw_sample(texts, settings.sample_bytes, settings.seed)
    known, drawn = set(map(hash, sample)), {}
    for source, paths in files_by_source(corpus).items():
        others = (text for text in read_texts(paths) if hash(text) not in known)
        drawn[source] = draw_sample(others, HELD_OUT_BYTES, settings.seed)
    require(any(drawn.values()),
            "tokenizer gate: no held-out documents. The corpus is too small: give the recipe more text.")
    return sample, {source: texts for source, texts in drawn.items() if texts}


def files_by_source(corpus: Path) -> dict[str, list[Path]]:
    """The corpus's training and validation files, named SOURCE-NUMBER.parquet."""
    paths = sorted(path for split in ("train", "validation") for path in (corpus / split).glob("*.parquet"))
    sources = sorted({path.stem.rpartition("-")[0] for path in paths})
    return {source: [path for path in paths if path.stem.rpartition("-")[0] == source] for source in sources}


def write_report(folder: Path, reports: list[dict]) -> None:
    """report.json for programs, report.md for people, report.png: one or several tokenizers on the same text."""
    write_json(folder / "report.json", reports)
    write_page(folder / "report.md", "tokenizer_report", reports=reports)
    bars = {row["name"]: {kind: found["tokens_per_eojeol"] for kind, found in row["kinds"].items()} for row in reports}
    plot_bars(folder / "report.png", bars, "Tokens per eojeol")


def adopt(name: str, folder: Path, held_out: dict[str, list[str]]) -> dict:
    """Save another model's tokenizer as it is; what it loses is reported, not refused. Raises UserError if it is no
    fast tokenizer, or has no token for the end of a document."""
    source = model_folder(name)
    tokenizer = quality.load_fast(source)
    require(tokenizer.eos_token_id is not None,
            f"INIT={name}: has no end-of-text token. Name one as \"eos_token\" in its tokenizer_config.json.")
    tokenizer.save_pretrained(folder)
    encoder = quality.from_transformers(tokenizer, name, split_special_tokens=True)
    if (model := source / "sentencepiece.model").is_file():  # made by this project: it encodes a corpus faster
        encoders = [quality.from_sentencepiece(model), quality.from_transformers(tokenizer, name)]
        if not any(quality.find_problem(text, encoders) for text in quality.NASTY_STRINGS):
            shutil.copyfile(model, folder / model.name)
    lost = [text[:40] for text in quality.NASTY_STRINGS if quality.find_problem(text, [encoder])]
    return quality.describe([encoder], held_out) | {"nasty_strings_lost": lost}
