"""The rows of a task, from the Hub, a folder or the sample, checked. How a folder may hold them is
layouts.py's job.

At import nothing heavy is needed, so that a stage's key can be had without pyarrow."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from corpora.errors import UserError, as_user_error, require
from corpora.paths import find_path
from corpora.tasks.composed import compose_row
from corpora.tasks.layouts import Table, files_of, find_split, read_rows
from corpora.tasks.task import (
    ENTITIES,
    HUB_NAME,
    HUB_REVISION,
    SPLITS,
    TASKS,
    Row,
    Task,
    find_task,
    task_file,
)

if TYPE_CHECKING:
    from datasets import Dataset

SAMPLE: Final = Path(__file__).parent.parent / "sample" / "klue"


def is_sample(data: str) -> bool:
    """Say whether `data` means the sample's rows, by name or by path."""
    return data == "sample" or Path(data).resolve() == SAMPLE.resolve()


def input_files(
    data: str, tasks: tuple[str, ...] = tuple(TASKS), splits: tuple[str, ...] = SPLITS
) -> list[Path]:
    """Return the files that `load_rows` would read: none for "hub", whose revision is pinned; of a
    task of one's own, its file as well.

    Raises UserError, early, for a missing folder or split.
    """
    found = [file for name in tasks for split in splits for file in _split_files(data, name, split)]
    return list(dict.fromkeys(found))  # what is held out lies in the same files


def _split_files(data: str, name: str, split: str) -> list[Path]:
    task = find_task(name)
    if task.is_own:
        from corpora.tasks.files import split_files

        return [task_file(name), *split_files(task, split)]
    if data == "hub":
        return []
    return [file for path in find_split(_folder(data), task, split) for file in files_of(path)]


def load_task(name: str) -> Task:
    """Return KLUE's task of this name, or a .toml file's, with its labels.

    Raises UserError as find_task does, and for rows that can't be read or have no labels.
    """
    task = find_task(name)
    if not task.is_own:
        return task
    from corpora.tasks.files import complete

    return complete(task)


def load_rows(data: str, task: Task, split: str, revision: str = HUB_REVISION) -> list[Row]:
    """Read one split: its rows in file order, with exactly the task's columns.

    `data` is "sample", "hub", or a folder in one of the layouts of layouts.py, whose files are read
    directly, because `load_dataset` may serve a stale cache. `revision` is the Hub's. Labels are
    ids in the task's order, whatever the file's, and texts are in NFC. Raises UserError that names
    the file and the row for anything unfit.
    """
    if task.is_own:
        from corpora.tasks.files import read_split

        return [_check_own(row, task) for row in read_split(task, split)]
    if data == "hub":
        place = HUB_NAME
        tables = [_read_hub(task, split, revision)]
    else:
        paths = find_split(_folder(data), task, split)
        place = str(paths[0])
        tables = [read_rows(path) for path in paths]
    rows = [
        _check_row(row, task, table.label_names or task.labels, f"{table.place}{number}")
        for table in tables
        for number, row in enumerate(table.rows, 1)
    ]
    require(
        rows, f"{place}: the {split} split of {task.title} has no rows. Put the whole file there."
    )
    return rows


def _folder(data: str) -> Path:
    return SAMPLE if data == "sample" else find_path(data)


def _read_hub(task: Task, split: str, revision: str) -> Table:
    from corpora.hub import CHECK, open_builder

    with as_user_error(
        f"can't read {task.title}: the Hub dataset {HUB_NAME} {task.name} at revision {revision}",
        f"{CHECK} Without a network, give a folder with KLUE's rows: KLUE=folder.",
    ):
        builder = open_builder(HUB_NAME, task.name, revision)
        builder.download_and_prepare()  # its cache is kept by revision, so it is never stale
        table = cast("Dataset", builder.as_dataset(split=split))  # one split, because one is named
    names = getattr(table.features.get("label"), "names", None)
    return Table(f"{HUB_NAME} {task.name} {split}, row ", names, cast(Iterable[Row], table))


def _check_row(row: Row, task: Task, label_names: Sequence[str], where: str) -> Row:
    """The row with the task's columns alone, its texts in NFC and its label as an id in the task's
    order; `label_names` says what the file's own label ids mean."""
    for column in task.klue_columns:
        require(column in row, f"{where}: column {column!r} is missing; it has: {', '.join(row)}.")
    checked = {column: row[column] for column in task.klue_columns}
    for column in task.texts:
        text = checked[column]
        require(
            isinstance(text, str) and text.strip(),
            f"{where}: {column!r} has to hold text, not {text!r}.",
        )
    if task.regression:
        column, _, key = task.label.partition(".")
        labels = checked.pop(column)
        score: Any = labels.get(key) if isinstance(labels, dict) else None
        # By type, because true is an int, too.
        require(
            type(score) in (int, float) and task.lowest <= score <= task.highest,
            f"{where}: {column}[{key!r}] has to be a number from {task.lowest:g} to "
            f"{task.highest:g}, not {score!r}.",
        )
        checked["label"] = score
    else:
        checked["label"] = _label_id(checked["label"], task, label_names, where)
    _check_entities(checked, task, where)
    return compose_row(checked, task)


def _check_own(row: Row, task: Task) -> Row:
    _check_entities(row, task, row["guid"])
    return compose_row(row, task)


def _check_entities(row: Row, task: Task, where: str) -> None:
    for column in ENTITIES if task.entities else ():
        _check_entity(row[column], row["sentence"], f"{where}: {column}")


def _label_id(label: Any, task: Task, names: Sequence[str], where: str) -> int:
    """Go by the label's name, because two files may number the same labels differently."""
    is_id = type(label) is int and 0 <= label < len(names)
    name = names[label] if is_id else label
    if name not in task.labels:
        known = ", ".join(f"{number} {each}" for number, each in enumerate(task.labels))
        raise UserError(
            f"{where}: label {label!r} is none of {task.title}'s {len(task.labels)}: {known}."
        )
    return task.labels.index(name)


def _check_entity(entity: Any, sentence: str, where: str) -> None:
    require(
        isinstance(entity, dict) and {"word", "start_idx", "end_idx", "type"} <= entity.keys(),
        f"{where} has to hold word, start_idx, end_idx and type, not {entity!r}.",
    )
    start = entity["start_idx"]
    end = entity["end_idx"]
    require(
        isinstance(start, int) and isinstance(end, int) and 0 <= start <= end < len(sentence),
        f"{where}: characters {start} to {end} lie outside the sentence of {len(sentence)} "
        "characters.",
    )
    require(
        sentence[start : end + 1] == entity["word"],
        f"{where}: characters {start} to {end} are {sentence[start : end + 1]!r}, not "
        f"{entity['word']!r}. (end_idx is the last character's own index.)",
    )
