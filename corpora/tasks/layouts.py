"""How a folder may hold a task's rows: they are found and read here, and checked in rows.py.

- TASK/SPLIT*.parquet, as on the Hub, or TASK/SPLIT*.jsonl
- TASK/SPLIT as `save_to_disk` leaves it, of all splits or of one; or TASK itself, if it was saved
  as that split
- klue-TASK-v1.1/klue-TASK-v1.1_SPLIT.json, as in KLUE's own repository, which says dev for
  validation

At import nothing heavy is needed, so that a stage's key can be had without pyarrow."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from corpora.errors import as_user_error, require
from corpora.tasks.task import Row, Task

REPOSITORY: Final = "klue_benchmark"
"""The folder of KLUE's own repository that holds the tasks."""
REPOSITORY_SPLITS: Final = {"train": "train", "validation": "dev"}
STATE: Final = "state.json"  # of save_to_disk
ADVICE: Final = (
    "KLUE= takes sample, hub, or a folder with TASK/SPLIT-*.parquet, one of save_to_disk folders, "
    "or KLUE's own repository. Add what is missing, or leave the task out."
)


class Table(NamedTuple):
    """Unchecked rows of one file or of the Hub."""

    place: str  # how the places of its rows begin, before their number
    label_names: Sequence[str] | None  # what its label ids mean, if it says so
    rows: Iterable[Row]


def find_split(data: Path, task: Task, split: str) -> list[Path]:
    """Return where a split's rows lie: its files in order, or its folder of save_to_disk.

    Raises UserError for a missing folder, task or split, and for a split that is there twice.
    """
    require(data.is_dir(), f"{data}: no such folder, so {task.title} can't be read. {ADVICE}")
    folder = data / task.name
    versions = _repository_folders(data, task)
    require(
        versions or folder.is_dir(),
        f"{folder}: no such folder, so {task.title} can't be read. {ADVICE}",
    )
    files = sorted(folder.glob(f"{split}*.parquet")) or sorted(folder.glob(f"{split}*.jsonl"))
    names = [each / f"{each.name}_{REPOSITORY_SPLITS[split]}.json" for each in versions]
    found = [
        files,
        *([path] for path in _saved_folders(folder, split)),
        *([path] for path in names if path.is_file()),
    ]
    places = [paths for paths in found if paths]
    wanted = [f"{split}*.parquet", f"{split}*.jsonl", f"{split}/{STATE}"]
    wanted += [path.name for path in names]
    require(
        places,
        f"{names[0].parent if names else folder}: the {split} split is missing: no "
        f"{', no '.join(wanted)}. No other is used.",
    )
    require(
        len(places) == 1,
        f"{data}: the {split} split of {task.title} is there more than once: "
        f"{' and '.join(str(paths[0]) for paths in places)}. Leave one.",
    )
    return places[0]


def _repository_folders(data: Path, task: Task) -> list[Path]:
    # ynat-v1.1, but klue-nli-v1.1.
    return [
        path
        for root in (data, data / REPOSITORY)
        for name in (task.name, f"klue-{task.name}")
        for path in sorted(root.glob(f"{name}-v*"))
        if path.is_dir()
    ]


def _saved_folders(folder: Path, split: str) -> list[Path]:
    saved = [folder / split] if (folder / split / STATE).is_file() else []
    if (folder / STATE).is_file() and _read_json(folder / STATE).get("_split") == split:
        saved.append(folder)
    return saved


def files_of(path: Path) -> list[Path]:
    """Return the files that count where a split lies.

    In a folder of save_to_disk these are the ones that it names: others are caches.
    """
    if not path.is_dir():
        return [path]
    data_files = _read_json(path / STATE).get("_data_files", [])
    names = [STATE, "dataset_info.json", *(each["filename"] for each in data_files)]
    return [path / name for name in names]


def _read_json(path: Path) -> Any:
    advice = "Save it again with save_to_disk, or get the file again."
    with as_user_error(f"{path}: not a file of JSON in UTF-8", advice, (OSError, ValueError)):
        return json.loads(path.read_bytes().decode("utf-8-sig"))


def read_rows(path: Path) -> Table:
    """Read a file, or a folder of save_to_disk.

    Raises UserError that names it if it can't be read.
    """
    if path.is_dir():
        return _read_saved(path)
    if path.suffix == ".jsonl":
        return Table(f"{path}:", None, _read_json_lines(path))
    if path.suffix == ".json":
        return Table(f"{path}, row ", None, _read_array(path))
    return _read_parquet(path)


def _read_saved(folder: Path) -> Table:
    import datasets

    with as_user_error(f"{folder}: not a readable folder of save_to_disk", "Save it again."):
        table = cast(datasets.Dataset, datasets.load_from_disk(str(folder))).with_format(None)
        rows = table.to_list()
    return Table(f"{folder}, row ", getattr(table.features.get("label"), "names", None), rows)


def _read_parquet(path: Path) -> Table:
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
        yield _checked_object(row, f"{path}:{number}")


def _read_array(path: Path) -> Iterator[Row]:
    """Yield the rows of one of KLUE's own files, which call NLI's label gold_label."""
    rows = _read_json(path)
    require(
        isinstance(rows, list),
        f"{path}: KLUE's own files are an array of rows, not {type(rows).__name__}.",
    )
    for number, row in enumerate(rows, 1):
        checked = _checked_object(row, f"{path}, row {number}")
        if "gold_label" in checked and "label" not in checked:
            checked["label"] = checked["gold_label"]
        yield checked


def _checked_object(row: Any, where: str) -> Row:
    require(
        isinstance(row, dict),
        f"{where}: a row has to be a JSON object, not {type(row).__name__}.",
    )
    return row
