"""`make tokenizer-report`: the preset's tokenizer and any others, side by side, on held-out text and
on KLUE's."""

import shlex
from pathlib import Path

from corpora.errors import require
from corpora.tasks.rows import is_sample, load_rows
from corpora.tasks.task import TASKS
from pipeline.artifacts.store import find_linked
from pipeline.launch import read_preset
from pipeline.options import (
    IN_ARTIFACTS,
    Artifacts,
    Klue,
    Out,
    Overrides,
    PresetName,
    Tokenizers,
)
from pipeline.settings import TokenizerSettings


def tokenizer_report(
    overrides: Overrides = None,
    preset: PresetName = "demo",
    klue: Klue = None,
    tokenizers: Tokenizers = "",
    out: Out = None,
    artifacts: Artifacts = IN_ARTIFACTS,
) -> None:
    """The tokenizer's quality on held-out text and KLUE's, beside others."""
    from pipeline.stages.tokenizer import draw_texts, write_report
    from tokenizer import quality

    typed = read_preset(preset, overrides, klue=klue)
    corpus, trained = (find_linked(artifacts, typed.name, name) for name in ("corpus", "tokenizer"))
    require(
        trained.manifest["inputs"]["corpus"] == corpus.manifest["digest"],
        "tokenizer-report: the tokenizer isn't of today's corpus. Run `make tokenizer` first.",
    )
    settings = TokenizerSettings(**trained.manifest["settings"])
    paths = [Path(name).expanduser() for name in dict.fromkeys(shlex.split(tokenizers))]
    last_parts = [path.name for path in paths]
    others = [
        (str(path) if last_parts.count(path.name) > 1 else path.name, [quality.open_any(path)])
        for path in paths
    ]
    _, kinds = draw_texts(corpus.verify(), settings)
    whose = "sample" if is_sample(typed.klue.data) else "KLUE"
    for task in TASKS.values():
        rows = load_rows(typed.klue.data, task, "validation")
        kinds[f"{whose} {task.title}"] = [row[column] for column in task.texts for row in rows]
    folder = trained.verify()
    own = [quality.open_any(folder)] if settings.init else quality.open_encoders(folder)
    reports = [
        quality.describe(encoders, kinds) | {"name": name}
        for name, encoders in (("this tokenizer", own), *others)
    ]
    written = out or artifacts / typed.name / "tokenizer_report"
    write_report(written, reports)
    print((written / "report.md").read_text(encoding="utf-8") + f"\ntokenizer-report: {written}")
