"""The KLUE tasks as rows of data, and their rows read from the Hub, a folder or the sample. No scores, no models. At
import only the standard library is needed, so that a stage's key can be had without pyarrow."""
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from corpora import UserError, failing, read_toml, require

_TABLE = read_toml(Path(__file__).with_name("klue.toml"))
HUB_NAME, HUB_REVISION = _TABLE.pop("hub").values()
SAMPLE = Path(__file__).parent / "sample" / "klue"
SPLITS = ("train", "validation")
ENTITIES = ("subject_entity", "object_entity")
Table = tuple[str, Sequence[str] | None, Iterable[dict]]  # how rows' places begin, what its label ids mean, the rows


@dataclass(frozen=True)
class Task:
    """One KLUE task: what its rows look like and how it is scored. klue.toml holds all and says what fields mean."""
    name: str
    title: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    metrics: dict[str, str]
    official_rows: dict[str, int]

    primary = property(lambda self: next(iter(self.metrics)))
    regression = property(lambda self: not self.labels)
    entities = property(lambda self: self.name == "re")
    orders = property(lambda self: (self.texts, self.texts[::-1]) if self.regression else (self.texts,))
    columns = property(lambda self: ("guid", *self.texts, *(ENTITIES if self.entities else ()),
                                     "labels" if self.regression else "label"))

    def target(self, row: dict) -> float | int:
        """What the model has to say of this row: a label id, or the mean human score from 0 to 5."""
        return row["labels"]["real-label"] if self.regression else row["label"]


TASKS = {name: Task(name, **{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})
         for name, row in _TABLE.items()}


def parse_tasks(names: str) -> list[Task]:
    """Tasks by name, in the order given; raises UserError for an unknown or missing one."""
    for name in names.split():
        require(name in TASKS, f"KLUE task {name!r} is unknown. Choose among: {' '.join(TASKS)}.")
    require(names.split(), f"No KLUE task is named. Choose among: {' '.join(TASKS)}.")
    return [TASKS[name] for name in dict.fromkeys(names.split())]


def is_sample(data: str) -> bool:
    """Whether `data` means the sample's rows, by name or by path."""
    return data == "sample" or Path(data).resolve() == SAMPLE.resolve()


def input_files(data: str, tasks: str = " ".join(TASKS), splits: tuple[str, ...] = SPLITS) -> list[Path]:
    """Files that `load_rows` would read, none for the pinned "hub"; UserError, early, for a missing folder or split."""
    return [] if data == "hub" else [path for task in parse_tasks(tasks) for split in splits
                                     for path in _split_files(data, task, split)]


def load_rows(data: str, task: Task, split: str, revision: str = HUB_REVISION) -> list[dict]:
    """The rows of one split, in file order, with exactly the task's columns and label ids in the task's order. `data`
    is "sample", "hub", or a folder that holds TASK/SPLIT-*.parquet or TASK/SPLIT*.jsonl, read directly: `load_dataset`
    may serve a stale cache. `revision` is the Hub's. Raises UserError naming file and row for anything unfit."""
    paths = [HUB_NAME] if data == "hub" else _split_files(data, task, split)
    parts = [_read_hub(task, split, revision) if data == "hub" else _read_parquet(path) if path.suffix == ".parquet"
             else (f"{path}:", None, _read_jsonl(path)) for path in paths]
    rows = [_check(row, task, names or task.labels, f"{place}{number}")
            for place, names, records in parts for number, row in enumerate(records, 1)]
    require(rows, f"{paths[0]}: the {split} split of {task.title} has no rows. Put the whole file there.")
    return rows


def _split_files(data: str, task: Task, split: str) -> list[Path]:
    folder = (SAMPLE if data == "sample" else Path(data)) / task.name
    for each in (folder.parent, folder):
        require(each.is_dir(), f"{each}: no such folder, so {task.title} can't be read. KLUE= takes sample, hub, or a "
                               "folder with TASK/SPLIT-*.parquet. Add what is missing, or leave the task out.")
    paths = sorted(folder.glob(f"{split}*.parquet")) or sorted(folder.glob(f"{split}*.jsonl"))
    require(paths, f"{folder}: the {split} split is missing: no {split}*.parquet, no {split}*.jsonl. No other is used.")
    return paths


def _read_hub(task: Task, split: str, revision: str) -> Table:
    from corpora.sources import CHECK, hub_builder
    with failing(f"can't read {task.title}: the Hub dataset {HUB_NAME} {task.name} at revision {revision}",
                 f"{CHECK} Without a network, give a folder in the Hub's layout: KLUE=folder."):
        builder = hub_builder(HUB_NAME, task.name, revision)
        builder.download_and_prepare()  # its cache is kept by revision, so it is never stale
        table = builder.as_dataset(split=split)
    return f"{HUB_NAME} {task.name} {split}, row ", getattr(table.features.get("label"), "names", None), table


def _read_parquet(path: Path) -> Table:
    import pyarrow.parquet
    with failing(f"{path}: not a readable parquet file", kinds=(pyarrow.ArrowException, OSError)):
        table = pyarrow.parquet.read_table(path)
    metadata = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    names = metadata.get("info", {}).get("features", {}).get("label", {}).get("names")
    return f"{path}, row ", names, table.to_pylist()


def _read_jsonl(path: Path) -> Iterator[dict]:
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            with failing(f"{path}:{number}: not a line of JSON in UTF-8", kinds=ValueError):
                row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            require(isinstance(row, dict), f"{path}:{number}: a row has to be a JSON object, not {type(row).__name__}.")
            yield row


def _check(row: dict, task: Task, names: Sequence[str], where: str) -> dict:
    """The task's columns, the label as an id in the task's order; raises UserError for what the task can't mean."""
    for column in task.columns:
        require(column in row, f"{where}: column {column!r} is missing; it has: {', '.join(row)}.")
    row = {column: row[column] for column in task.columns}
    for column in task.texts:
        require(isinstance(row[column], str) and row[column].strip(),
                f"{where}: {column!r} has to hold text, not {row[column]!r}.")
    if task.regression:
        score = row["labels"].get("real-label") if isinstance(row["labels"], dict) else None
        require(type(score) in (int, float) and 0 <= score <= 5,
                f"{where}: labels['real-label'] has to be a number from 0 to 5, not {score!r}.")
    else:
        label = row["label"]  # by name, because two files may number the same labels differently
        name = names[label] if type(label) is int and 0 <= label < len(names) else label
        if name not in task.labels:
            known = ", ".join(f"{number} {name}" for number, name in enumerate(task.labels))
            raise UserError(f"{where}: label {label!r} is none of {task.title}'s {len(task.labels)}: {known}.")
        row["label"] = task.labels.index(name)
    for column in ENTITIES if task.entities else ():
        entity, sentence, here = row[column], row["sentence"], f"{where}: {column}"
        require(isinstance(entity, dict) and {"word", "start_idx", "end_idx", "type"} <= entity.keys(),
                f"{here} has to hold word, start_idx, end_idx and type, not {entity!r}.")
        start, end = entity["start_idx"], entity["end_idx"]
        require(isinstance(start, int) and isinstance(end, int) and 0 <= start <= end < len(sentence),
                f"{here}: characters {start} to {end} lie outside the sentence of {len(sentence)} characters.")
        require(sentence[start:end + 1] == entity["word"], f"{here}: characters {start} to {end} are "
                f"{sentence[start:end + 1]!r}, not {entity['word']!r}. (end_idx is the last character's own index.)")
    return row


def entities_in_order(row: dict) -> list[tuple[dict, str]]:
    """Both entities as they stand in the sentence, each with its role: S is the subject, O the object."""
    return sorted([(row["subject_entity"], "S"), (row["object_entity"], "O")], key=lambda each: each[0]["start_idx"])


def split_at_entities(row: dict) -> list[str]:
    """The sentence cut at its entities' edges in five parts."""
    edges = [edge for entity, _ in entities_in_order(row) for edge in (entity["start_idx"], entity["end_idx"] + 1)]
    rising = accumulate([0, *edges, len(row["sentence"])], max)  # of entities that overlap the second gets the rest
    return [row["sentence"][start:end] for start, end in pairwise(rising)]
