"""The rows of a task, read from the Hub, a folder or the sample, and checked.

At import nothing heavy is needed, so that a stage's key can be had without pyarrow."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from corpora.errors import UserError, as_user_error, require
from corpora.paths import find_path
from corpora.tasks.task import ENTITIES, HUB_NAME, HUB_REVISION, SPLITS, TASKS, Row, Task

if TYPE_CHECKING:
    from datasets import Dataset

SAMPLE: Final = Path(__file__).parent.parent / "sample" / "klue"


class Table(NamedTuple):
    """Unchecked rows of one file or of the Hub."""

    place: str  # how the places of its rows begin, before their number
    label_names: Sequence[str] | None  # what its label ids mean, if it says so
    rows: Iterable[Row]


def is_sample(data: str) -> bool:
    """Say whether `data` means the sample's rows, by name or by path."""
    return data == "sample" or Path(data).resolve() == SAMPLE.resolve()


def input_files(
    data: str, tasks: tuple[str, ...] = tuple(TASKS), splits: tuple[str, ...] = SPLITS
) -> list[Path]:
    """Return the files that `load_rows` would read: none for "hub", whose revision is pinned.

    Raises UserError, early, for a missing folder or split.
    """
    if data == "hub":
        return []
    return [
        path
        for name in tasks
        for split in splits
        for path in _split_files(data, TASKS[name], split)
    ]


def load_rows(data: str, task: Task, split: str, revision: str = HUB_REVISION) -> list[Row]:
    """Read one split: its rows in file order, with exactly the task's columns.

    `data` is "sample", "hub", or a folder that holds TASK/SPLIT-*.parquet or TASK/SPLIT*.jsonl,
    read directly, because `load_dataset` may serve a stale cache. `revision` is the Hub's. Labels
    are ids in the task's order, whatever the file's. Raises UserError that names the file and the
    row for anything unfit.
    """
    if data == "hub":
        place = HUB_NAME
        tables = [_read_hub(task, split, revision)]
    else:
        paths = _split_files(data, task, split)
        place = str(paths[0])
        tables = [_read_file(path) for path in paths]
    rows = [
        _check_row(row, task, table.label_names or task.labels, f"{table.place}{number}")
        for table in tables
        for number, row in enumerate(table.rows, 1)
    ]
    require(
        rows, f"{place}: the {split} split of {task.title} has no rows. Put the whole file there."
    )
    return rows


def _split_files(data: str, task: Task, split: str) -> list[Path]:
    folder = (SAMPLE if data == "sample" else find_path(data)) / task.name
    for each in (folder.parent, folder):
        require(
            each.is_dir(),
            f"{each}: no such folder, so {task.title} can't be read. KLUE= takes sample, hub, or a "
            "folder with TASK/SPLIT-*.parquet. Add what is missing, or leave the task out.",
        )
    paths = sorted(folder.glob(f"{split}*.parquet")) or sorted(folder.glob(f"{split}*.jsonl"))
    require(
        paths,
        f"{folder}: the {split} split is missing: no {split}*.parquet, no {split}*.jsonl. "
        "No other is used.",
    )
    return paths


def _read_hub(task: Task, split: str, revision: str) -> Table:
    from corpora.hub import CHECK, open_builder

    with as_user_error(
        f"can't read {task.title}: the Hub dataset {HUB_NAME} {task.name} at revision {revision}",
        f"{CHECK} Without a network, give a folder in the Hub's layout: KLUE=folder.",
    ):
        builder = open_builder(HUB_NAME, task.name, revision)
        builder.download_and_prepare()  # its cache is kept by revision, so it is never stale
        table = cast("Dataset", builder.as_dataset(split=split))  # one split, because one is named
    names = getattr(table.features.get("label"), "names", None)
    return Table(f"{HUB_NAME} {task.name} {split}, row ", names, cast(Iterable[Row], table))


def _read_file(path: Path) -> Table:
    if path.suffix == ".jsonl":
        return Table(f"{path}:", None, _read_json_lines(path))
    import pyarrow.parquet

    kinds = (pyarrow.ArrowException, OSError)
    with as_user_error(f"{path}: not a readable parquet file", kinds=kinds):
        table = pyarrow.parquet.read_table(path)
    metadata = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    names = metadata.get("info", {}).get("features", {}).get("label", {}).get("names")
    return Table(f"{path}, row ", names, table.to_pylist())


def _read_json_lines(path: Path) -> Iterator[Row]:
    # Whole, so that no file stays open when a row is refused.
    lines = path.read_bytes().split(b"\n")
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, 1):
        encoding = "utf-8-sig" if number == 1 else "utf-8"
        with as_user_error(f"{path}:{number}: not a line of JSON in UTF-8", kinds=ValueError):
            row = json.loads(line.decode(encoding))
        require(
            isinstance(row, dict),
            f"{path}:{number}: a row has to be a JSON object, not {type(row).__name__}.",
        )
        yield row


def _check_row(row: Row, task: Task, label_names: Sequence[str], where: str) -> Row:
    """The row with the task's columns alone, and its label as an id in the task's order;
    `label_names` says what the file's own label ids mean."""
    for column in task.columns:
        require(column in row, f"{where}: column {column!r} is missing; it has: {', '.join(row)}.")
    checked = {column: row[column] for column in task.columns}
    for column in task.texts:
        text = checked[column]
        require(
            isinstance(text, str) and text.strip(),
            f"{where}: {column!r} has to hold text, not {text!r}.",
        )
    if task.regression:
        labels = checked["labels"]
        score: Any = labels.get("real-label") if isinstance(labels, dict) else None
        # By type, because true is an int, too.
        require(
            type(score) in (int, float) and 0 <= score <= 5,
            f"{where}: labels['real-label'] has to be a number from 0 to 5, not {score!r}.",
        )
    else:
        checked["label"] = _label_id(checked["label"], task, label_names, where)
    if task.entities:
        for column in ENTITIES:
            _check_entity(checked[column], checked["sentence"], f"{where}: {column}")
    return checked


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
