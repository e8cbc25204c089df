"""Corpus -> a tokenizer that sentencepiece and AutoTokenizer agree on, or one adopted from another model.

How it is trained, exported and judged is in the package tokenizer/.
"""
import shutil
from collections.abc import Iterator
from pathlib import Path

from sentencepiece import SentencePieceProcessor
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from corpora import UserError
from pipeline.artifact import write_card, write_json
from pipeline.engine import Context
from pipeline.model_folder import model_folder
from pipeline.parquet import read_batches
from tokenizer.export import export
from tokenizer.quality import NASTY_STRINGS, check_tokenizer, find_problem, survey
from tokenizer.train import draw_sample, train_model

OPTIONS = ("superwords", "split_by_unicode_script", "split_digits", "treat_whitespace_as_suffix")
"""Settings that train_model has under the same name."""
GATE_BYTES = 8_000_000  # of held-out text: some ten seconds


def run(settings, inputs: dict[str, Path], folder: Path, context: Context) -> dict:
    held_out = draw_held_out(inputs["corpus"], settings.seed)
    if settings.init:
        quality = adopt(settings.init, folder, held_out)
    else:
        sample = draw_sample((text for _, text in read_texts(inputs["corpus"], "train")),
                             settings.sample_bytes, settings.seed)
        model, counts = train_model(
            sample, settings.model_type, settings.vocab_size, settings.morphemes, settings.character_coverage,
            context.engine.workers, **{name: getattr(settings, name) for name in OPTIONS})
        export(model, folder)
        quality = {"vocab_size": settings.vocab_size, "trained_on": counts,
                   "held_out": check_tokenizer(folder, held_out)}
    write_json(folder / "quality.json", quality)
    write_card(folder / "README.md", "tokenizer", settings=settings, quality=quality, **quality["held_out"])
    return quality


def read_texts(corpus: Path, split: str) -> Iterator[tuple[str, str]]:
    """Yield (where, text) of every document of a split, one small batch of rows in memory at a time."""
    for path in sorted((corpus / split).glob("*.parquet")):
        for batch in read_batches(path, ["id", "text"]):
            for name, text in zip(batch["id"].to_pylist(), batch["text"].to_pylist()):
                yield f"{split}/{path.name}, document {name}", text


def draw_held_out(corpus: Path, seed: int) -> list[tuple[str, str]]:
    drawn = set(draw_sample((text for _, text in read_texts(corpus, "validation")), GATE_BYTES, seed))
    return [(where, text) for where, text in read_texts(corpus, "validation") if text in drawn]


def adopt(name: str, folder: Path, held_out: list[tuple[str, str]]) -> dict:
    """Save another model's tokenizer as it is; what it loses is reported, not refused.

    Raises UserError if it is no fast tokenizer, or has no token for the end of a document.
    """
    source = model_folder(name)
    tokenizer = load_fast(source)
    if tokenizer.eos_token_id is None:
        raise UserError(f"INIT={name}: has no end-of-text token. Name one as \"eos_token\" in its "
                        "tokenizer_config.json.")
    tokenizer.save_pretrained(folder)
    keep_sentencepiece(source / "sentencepiece.model", tokenizer, folder)
    lost = [text for text in NASTY_STRINGS if find_problem(text, tokenizer, None)[1]]
    return {"vocab_size": len(tokenizer), "adopted_from": name, "held_out": survey(tokenizer, held_out).figures(),
            "nasty_strings": len(NASTY_STRINGS), "nasty_strings_lost": [text[:40] for text in lost]}


def load_fast(folder: Path) -> PreTrainedTokenizerFast:
    """Load tokenizer.json as it stands: a fast tokenizer is all in there, and no code of the folder's is run."""
    if not (folder / "tokenizer.json").is_file():
        raise UserError(f"INIT={folder}: has no tokenizer.json. Load it once with AutoTokenizer and save_pretrained, which "
                        "writes one.")
    try:
        return PreTrainedTokenizerFast.from_pretrained(folder)
    except Exception as error:  # a damaged tokenizer.json makes tokenizers raise a bare Exception
        raise UserError(f"INIT={folder}: its tokenizer can't be loaded: {error}") from None


def keep_sentencepiece(path: Path, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Copy the sentencepiece.model beside a tokenizer made by this project: it encodes a corpus faster."""
    if not path.is_file():
        return
    try:
        processor = SentencePieceProcessor(model_file=str(path))
    except RuntimeError as error:
        raise UserError(f"{path}: damaged ({error}). Restore it, or remove it: tokenizer.json is enough.") from None
    if not any(find_problem(text, tokenizer, processor)[1] for text in NASTY_STRINGS):
        shutil.copyfile(path, folder / path.name)
