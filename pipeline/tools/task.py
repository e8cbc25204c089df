"""`make task DATA=file OUT=my.toml`: look at a file of labelled rows and write a task to start
from, checked by reading all rows. How things are guessed is told in corpora/survey/labelled.py."""

import os
import shlex
from pathlib import Path

from corpora.errors import UserError, require
from pipeline import cli_options
from pipeline.artifacts.files import write_text
from pipeline.tools.recipe import new_toml

DEFAULT_OUT = Path("my_task.toml")


def task(data: cli_options.Data = None, out: cli_options.Out = None) -> None:
    """Look at DATA=file of labelled rows and write a task to start from."""
    if data is None:
        raise UserError("task: say which file of labelled rows to look at with DATA=file.")
    require(data.is_file(), f"DATA={data}: no such file.")
    path = new_toml("task", out or DEFAULT_OUT)
    # Not above: the other commands do without these.
    from corpora.survey.labelled import find_task, write_task
    from corpora.tasks.rows import load_rows, load_task
    from corpora.tasks.task import SPLITS

    proposal = find_task(data)
    folder = os.path.relpath(data.parent.resolve(), path.parent.resolve())
    write_text(path, write_task(proposal, "" if folder == "." else f"{folder}/"))
    try:
        found = load_task(str(path))
        counts = {split: len(load_rows("", found, split)) for split in SPLITS}
    except UserError as error:
        raise UserError(f"{path}: written, but its rows can't be read so: {error}") from None
    for text, label in proposal.examples:
        print(f"{label}: {' '.join(text.split())[:60]}")
    print(
        f"\n{found.title}: {counts['train']:,} rows to train on, {counts['validation']:,} to score"
    )
    if found.labels:
        print(f"labels: {', '.join(found.labels)}")
    print(f"\ntask: {path}   next: make klue-eval TASKS={shlex.quote(str(path))}")
