"""`make predict TASK=ynat TEXT="..."`: what a fine-tuned model of the preset's says of a text, of a
pair (TEXT2=), or of the rows of a file (FILE=, JSON lines out)."""

import json
import sys
from pathlib import Path
from typing import Any

from corpora.errors import UserError, require
from corpora.paths import find_path
from pipeline import cli_options
from pipeline.artifacts.store import find_linked
from pipeline.evaluation_settings import task_name
from pipeline.launch import read_preset


def predict(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    task: cli_options.Task = None,
    text: cli_options.Text = None,
    text2: cli_options.SecondText = None,
    file: cli_options.File = None,
    head: cli_options.HeadName = cli_options.Head.linear,
    model: cli_options.Model = None,
    device: cli_options.DeviceName = cli_options.Device.auto,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Say what a fine-tuned model says of a text, or of the rows of a file."""
    require(
        (text is None) != (file is None),
        'predict: give a text with TEXT="...", and a second one with TEXT2=, or a file with FILE=.',
    )
    name = task_name(task) if task else None
    folder = find_path(model) if model else find_saved(preset, overrides, name, head, artifacts)
    # Not above: a wrong name is told before torch has loaded.
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    from corpora.tasks.files import read_texts
    from pipeline.evaluation.saved.answers import SavedModel
    from pipeline.training.device import resolve_device

    disable_progress_bar()
    set_verbosity_error()  # that pads come without a mask, which a causal model doesn't need
    saved = SavedModel(folder, resolve_device(device))
    names = [each.name for each in saved.tasks]
    require(
        name in names if name else len(names) == 1,
        f"{folder}: is a model for {', '.join(names)}: choose with TASK=.",
    )
    asked = saved.tasks[names.index(name) if name else 0]
    rows = read_texts(asked, file) if file else [typed_row(asked.title, asked.texts, text, text2)]
    answers = [describe(answer, asked.names) for answer in saved.answer(asked, rows)]
    if file:
        for row, answer in zip(rows, answers):
            print(json.dumps(row | answer, ensure_ascii=False))
    else:
        show(answers[0])


def typed_row(title: str, columns: tuple[str, ...], *typed: str | None) -> dict[str, str]:
    """The row that TEXT= and TEXT2= make; raises UserError for more or fewer than the task has."""
    texts = [each for each in typed if each is not None]
    require(
        len(texts) == len(columns),
        f"{title}: wants {len(columns)} texts ({', '.join(columns)}), not {len(texts)}: TEXT= and, "
        "for a second one, TEXT2=.",
    )
    return dict(zip(columns, texts))


def find_saved(
    preset: str, overrides: list[str] | None, task: str | None, head: str, artifacts: Path
) -> Path:
    """The folder of the preset's fine-tuned model for a task.

    Raises UserError that lists those there are where it isn't.
    """
    name = read_preset(preset, overrides).name
    models = find_linked(artifacts, name, "klue", target="klue-eval").verify() / "models"
    there = sorted(path.name for path in models.glob("*") if path.is_dir())
    if not task:
        raise UserError(f"predict: say which task with TASK=. There are models: {listed(there)}.")
    folder = models / (head if head == "joint" else f"{task}-{head}")
    require(
        folder.is_dir(),
        f"{folder}: no such model. There are: {listed(there)}. `make klue-eval` with TASKS= and "
        "klue.head= makes others; klue.keep_models=first or all keeps them.",
    )
    return folder


def listed(names: list[str]) -> str:
    """Names, or that there are none."""
    return ", ".join(names) or "none"


def describe(answer: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """A label and every label's share, or a score, as JSON has it."""
    if not names:
        return {"score": round(float(answer), 4)}
    shares = {name: round(float(share), 6) for name, share in zip(names, answer)}
    return {"label": max(shares, key=lambda name: shares[name]), "shares": shares}


def show(answer: dict[str, Any]) -> None:
    """Print one answer for people, the likeliest label first."""
    if "score" in answer:
        print(f"{answer['score']:.2f}")
        return
    for name, share in sorted(answer["shares"].items(), key=lambda each: -each[1]):
        sys.stdout.write(f"{share:6.3f}  {name}\n")
