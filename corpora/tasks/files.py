"""The rows of a task of one's own, from files in any format with columns or keys that a corpus's
sources read."""

import re
from collections.abc import Iterator
from glob import escape
from pathlib import Path
from typing import Any, Final

import xxhash

from corpora.errors import UserError, require
from corpora.recipe import Source
from corpora.source_keys import READ_AS, ROWS
from corpora.sources.formats.columns import RowSource
from corpora.sources.read import read_file
from corpora.sources.shards import file_format, guess_format, is_archive, source_files
from corpora.tasks.task import ENTITIES, Row, Task, order_labels

MAX_LABELS: Final = 1000
"""More different ones are no labels but texts or numbers."""
PARTS: Final = 10_000  # of which held_out is a number


def split_files(task: Task, split: str) -> list[Path]:
    """Return the files that a split is read from.

    Raises UserError for a glob that no file matches.
    """
    patterns = task.validation if split == "validation" and task.validation else task.train
    return [path for path, _ in source_files(_as_source(task, patterns), Path(task.folder))]


def complete(task: Task) -> Task:
    """Return the task with its labels: those of the train rows, in order, if it names none."""
    if task.labels or task.regression:
        return task
    found = {_label_name(row[task.label], where) for where, row in _read(task, task.train)}
    require(
        2 <= len(found) <= MAX_LABELS,
        f"task {task.name}: the train rows have {len(found)} different values in {task.label!r}: "
        "labels are at least two and few. Set label to the right column, or metrics to one of "
        "scores (pearson, spearman).",
    )
    complete_task = task.model_dump() | {"labels": order_labels(found)}
    return Task.from_table(complete_task, f"task {task.name}")


def read_split(task: Task, split: str) -> list[Row]:
    """Read one split of a complete task: its rows in file order, labels as ids.

    Where no validation is named, `held_out` of the train rows is: rows of the same first text are
    on the same side. Raises UserError that names the file and the row for anything unfit.
    """
    is_validation = split == "validation"
    has_files = bool(task.validation)
    patterns = task.validation if is_validation and has_files else task.train
    prefix = split if has_files else "train"
    rows: list[Row] = []
    for number, (where, values) in enumerate(_read(task, patterns), 1):
        row = _check(task, values, where) | {"guid": f"{task.name}-{prefix}-{number}"}
        if has_files or _is_held_out(task, row) == is_validation:
            rows.append(row)
    require(rows, f"task {task.name}: no rows to {'score' if is_validation else 'train on'}.")
    return rows


def read_texts(task: Task, path: Path) -> list[Row]:
    """Read rows without labels from one file: the task's columns, or of plain text a text a line.

    Raises UserError that names the file and the row for anything unfit.
    """
    as_lines = guess_format(_as_source(task, (), with_label=False), path.name) == "txt"
    if as_lines and not task.format:
        require(
            len(task.texts) == 1,
            f"{path}: a line of plain text is one text, but {task.title} has two: give a table or "
            f"JSON with the columns {' and '.join(task.texts)}.",
        )
        source = Source(name="file", kind="files", licence="", paths=("*",), unit="line")
        lines = list(read_file(source, path, str(path)))
        for record in lines:
            require(not record.reason, f"{record.where}: {record.reason}.")
        return [{task.texts[0]: record.text} for record in lines]
    pattern = (escape(str(path.absolute())),)
    return [
        {column: values[column] or "" for column in task.texts}
        for _, values in _read(task, pattern, with_label=False)
    ]


def _as_source(task: Task, patterns: tuple[str, ...], with_label: bool = True) -> RowSource:
    fields = [("texts", column) for column in task.texts]
    fields += [("entities", column) for column in ENTITIES if task.entities and with_label]
    fields += [("label", task.label)] if with_label else []
    table: dict[str, Any] = {
        "name": re.sub("[^a-z0-9-]+", "-", task.name.lower()).strip("-") or "task",
        "kind": "files",
        "licence": task.licence,
        "paths": patterns or ("*",),
        "text": task.texts[0],
        "fields": tuple(fields),
    }
    for key in ("format", "delimiter", "columns"):
        if value := getattr(task, key):
            table[key] = value
    return RowSource.model_validate(table)


def _read(
    task: Task, patterns: tuple[str, ...], with_label: bool = True
) -> Iterator[tuple[str, Row]]:
    """Yield the places and values of all rows."""
    source = _as_source(task, patterns, with_label)
    columns = [column for _, column in source.fields]
    for path, _ in source_files(source, Path(task.folder)):
        if not is_archive(path.name):
            name = file_format(source, path)
            require(
                name in ROWS,
                f"{path}: read as {READ_AS.get(name, name)}: set format in the task to one of "
                f"{', '.join(ROWS)}.",
            )
        for record in read_file(source, path, str(path)):
            if record.reason or record.row is None:
                raise UserError(f"{record.where}: {record.reason or 'no row'}.")
            yield record.where, dict(zip(columns, record.row))


def _check(task: Task, values: Row, where: str) -> Row:
    row: Row = {}
    for column in task.texts:
        text = values[column]
        require(
            text is None or isinstance(text, str),
            f"{where}: {column!r} has to hold text, not {text!r}.",
        )
        row[column] = text or ""
    row |= {column: values[column] for column in ENTITIES if task.entities}
    label = values[task.label]
    row["label"] = _score(task, label, where) if task.regression else _label_id(task, label, where)
    return row


def _score(task: Task, value: Any, where: str) -> float:
    try:
        score = float(value)
    except (TypeError, ValueError):
        score = float("nan")
    require(
        task.lowest <= score <= task.highest,
        f"{where}: {task.label!r} has to be a number from {task.lowest:g} to {task.highest:g} "
        f"(lowest and highest in the task), not {value!r}.",
    )
    return score


def _label_id(task: Task, value: Any, where: str) -> int:
    name = _label_name(value, where)
    known = ", ".join(task.labels)
    require(name in task.labels, f"{where}: label {name!r} is none of the task's: {known}.")
    return task.labels.index(name)


def _label_name(value: Any, where: str) -> str:
    """A label as text: 1 for a table's 1, JSON's 1 and a Parquet column of 1.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    name = "" if value is None else str(value).strip()
    require(name, f"{where}: no label.")
    return name


def _is_held_out(task: Task, row: Row) -> bool:
    digest = xxhash.xxh3_64_intdigest(row[task.texts[0]].encode())
    return digest % PARTS < task.held_out * PARTS
