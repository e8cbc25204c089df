"""`make tokenizer-report`: the preset's tokenizer and any others, side by side, on held-out text and on KLUE's."""
import shlex
from pathlib import Path

from corpora import UserError
from corpora.klue import TASKS, is_sample, load_rows
from pipeline import artifact
from pipeline.config import SECTIONS
from pipeline.stages.tokenizer import draw_held_out, draw_training_sample, write_report
from tokenizer.quality import describe, open_any, open_encoders


def run(arguments, preset) -> None:
    corpus, tokenizer = (artifact.linked(arguments.artifacts, preset.name, stage) for stage in ("corpus", "tokenizer"))
    if tokenizer.manifest["inputs"]["corpus"] != corpus.manifest["digest"]:
        raise UserError("tokenizer-report: the tokenizer isn't of today's corpus. Run `make tokenizer` first.")
    settings = SECTIONS["tokenizer"](**tokenizer.manifest["settings"])
    paths = [Path(name).expanduser() for name in dict.fromkeys(shlex.split(arguments.tokenizers or ""))]
    others = [[open_any(path)] for path in paths]
    kinds = draw_held_out(corpus.verify(), draw_training_sample(corpus.path, settings), settings.seed)
    whose = "sample" if is_sample(preset["klue"].data) else "KLUE"
    for task in TASKS.values():
        rows = load_rows(preset["klue"].data, task, "validation")
        kinds[f"{whose} {task.title}"] = [row[column] for column in task.texts for row in rows]
    trained = tokenizer.verify()
    own = [open_any(trained)] if settings.init else open_encoders(trained)
    last_parts = [path.name for path in paths]
    names = [str(path) if last_parts.count(path.name) > 1 else path.name for path in paths]
    reports = [describe(encoders, kinds) | {"name": name}
               for encoders, name in zip((own, *others), ("this tokenizer", *names))]
    folder = arguments.out or arguments.artifacts / preset.name / "tokenizer_report"
    write_report(folder, reports)
    print((folder / "report.md").read_text(encoding="utf-8") + f"\ntokenizer-report: {folder}")
