"""`make tokenizer-report`: the preset's tokenizer and any others, side by side, on held-out text
and on KLUE's."""

import shlex
from pathlib import Path

from corpora.errors import require
from corpora.paths import find_path
from corpora.tasks.rows import is_sample, load_rows
from corpora.tasks.task import TASKS
from pipeline import cli_options
from pipeline.artifacts.store import find_linked
from pipeline.launch import read_preset
from pipeline.settings import TokenizerSettings


def tokenizer_report(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    klue: cli_options.Klue = None,
    tokenizers: cli_options.Tokenizers = "",
    out: cli_options.Out = None,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """The tokenizer's quality on held-out text and KLUE's, beside others."""
    # Not above: they load transformers, which no other command needs.
    from pipeline.reports.tokenizer import write_tokenizer_report
    from pipeline.stages.corpus_texts import draw_texts
    from pipeline.stages.tokenizer import THIS_TOKENIZER
    from tokenizer.quality.encoders import open_any, open_encoders
    from tokenizer.quality.report import describe

    typed = read_preset(preset, overrides, klue=klue)
    corpus = find_linked(artifacts, typed.name, "corpus")
    trained = find_linked(artifacts, typed.name, "tokenizer")
    require(
        trained.manifest["inputs"]["corpus"] == corpus.manifest["digest"],
        "tokenizer-report: the tokenizer isn't of today's corpus. Run `make tokenizer` first.",
    )
    settings = TokenizerSettings(**trained.manifest["settings"])
    others = {name: open_any(path) for name, path in name_others(tokenizers).items()}
    _, held_out = draw_texts(corpus.verify(), settings)
    texts = held_out | read_klue_texts(typed.klue.data)
    folder = trained.verify()
    own = [open_any(folder)] if settings.init else open_encoders(folder)
    reports = [describe(THIS_TOKENIZER, own, texts)]
    reports += [describe(name, [encoder], texts) for name, encoder in others.items()]
    written = out or artifacts / typed.name / "tokenizer_report"
    write_tokenizer_report(written, reports)
    print((written / "report.md").read_text(encoding="utf-8"))
    print(f"tokenizer-report: {written}")


def name_others(tokenizers: str) -> dict[str, Path]:
    """Name tokenizers whose paths are separated by spaces: each by the last part of its path, or by
    all of it if another has the same."""
    paths = [find_path(Path(name).expanduser()) for name in dict.fromkeys(shlex.split(tokenizers))]
    last_parts = [path.name for path in paths]
    return {str(path) if last_parts.count(path.name) > 1 else path.name: path for path in paths}


def read_klue_texts(data: str) -> dict[str, list[str]]:
    """The validation texts of every task."""
    whose = "sample" if is_sample(data) else "KLUE"
    texts = {}
    for task in TASKS.values():
        rows = load_rows(data, task, "validation")
        texts[f"{whose} {task.title}"] = [row[column] for column in task.texts for row in rows]
    return texts
