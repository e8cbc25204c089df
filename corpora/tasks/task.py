"""What a labelled task is: KLUE's four as rows of klue.toml, one's own as a .toml file; and what
whoever uses a task or one of its examples has to know of it. Examples are read in rows.py."""

from collections.abc import Iterable
from itertools import accumulate, pairwise
from pathlib import Path
from string import Formatter
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from corpora.errors import require
from corpora.paths import find_path
from corpora.recipe import FileFormat
from corpora.settings import Settings, broken_rule, nearest, read_toml

Row = dict[str, Any]
"""One example of a task, as rows.py checked it: guid, the texts, the entities, and `label`, which
is a label's id or a score."""

SPLITS: Final = ("train", "validation")
ENTITIES: Final = ("subject_entity", "object_entity")

Metric = Literal[
    "accuracy",
    "macro_f1",
    "micro_f1",
    "mcc",
    "auprc",
    "auprc_all",
    "pearson",
    "spearman",
    "f1",
]
HEADINGS: Final[dict[str, str]] = {
    "accuracy": "acc",
    "macro_f1": "F1",
    "micro_f1": "F1",
    "mcc": "MCC",
    "auprc": "AUPRC",
    "auprc_all": "AUPRC of all classes",
    "pearson": "r",
    "spearman": "rho",
    "f1": "F1",
}
"""What the metrics are called in tables."""
OF_SCORES: Final = ("pearson", "spearman", "f1")
"""Metrics of tasks whose rows have a score in place of a label."""


def names_in(template: str) -> set[str]:
    """Return what stands in a template's braces."""
    try:
        return {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError:
        fault = "a brace that stands for itself is written twice."
        raise broken_rule(f"prompts: {template!r}: {fault}") from None


class Task(Settings):
    """One labelled task: what its rows look like, where they are, and how it is scored."""

    name: str
    """Its name in settings, files and folders: that of its file."""
    title: str
    """Its name in tables."""
    texts: tuple[str, ...] = Field(min_length=1, max_length=2)
    """Columns that the model reads, one or two."""
    label: str = "label"
    """Column of the label or score; in JSON it may be a path, as the texts may:
    labels.real-label."""
    labels: tuple[str, ...] = ()
    """The labels as they stand in the rows, in order; those that train has if empty."""
    label_names: tuple[str, ...] = ()
    """What the labels are called in tables and models, if not as in the rows."""
    entities: bool = False
    """Whether a row has a subject and an object, marked in its sentence, as in KLUE-RE."""
    entity_types: dict[str, str] = Field(default_factory=dict)
    """What an entity's type is called in words, which a model reads before the entity; types that
    aren't here are left out."""
    symmetric: bool = False
    """Whether two texts mean the same in either order: a model reads both."""
    metrics: tuple[Metric, ...] = Field(min_length=1)
    """accuracy, macro_f1, micro_f1, mcc, auprc (of the classes that occur) or auprc_all of labels;
    pearson, spearman or f1 of scores. The first one is what comparisons are about."""
    ignored_label: str = ""
    """Label that micro_f1 counts as an error of the others only."""
    lowest: float = 0.0
    """Least score of a row, of a task with scores."""
    highest: float = 5.0
    """Greatest score of a row."""
    threshold: float = 3.0
    """Score from which on f1 counts two texts as alike."""
    licence: str = ""
    """Licence of the rows, as their publisher states it."""
    train: tuple[str, ...] = ()
    """Globs of the files of rows to train on, under the task file's own folder."""
    validation: tuple[str, ...] = ()
    """Globs of the files of rows to score; if empty, `held_out` of the rows to train on."""
    held_out: float = Field(default=0.1, gt=0, lt=1)
    """Share of the train rows that is scored and not trained on, where no validation is named."""
    format: FileFormat = ""
    """csv, tsv, json, jsonl or parquet; guessed from a file's suffix if empty."""
    delimiter: str = ""
    """Character between the columns of csv, if it isn't a comma."""
    columns: tuple[str, ...] = ()
    """Names of the columns of csv or tsv, for a file without a header."""
    words: tuple[str, ...] = ()
    """For prompts: what each label is called, in order; of scores, the degrees from lowest to
    highest."""
    prompts: tuple[str, ...] = ()
    """Texts that such a word continues, after a space; {names} in them are the row's columns, of a
    path its last key, and with entities {subject} and {object}."""
    prompts_version: int = 1
    """Raised with every change of a word or a prompt: scores of two versions don't compare."""
    folder: str = ""
    """Folder of the task's file."""
    official_rows: dict[str, int] = Field(default_factory=dict)
    """Rows of the publisher's own splits, where the rows at hand may be fewer."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        kinds = {metric in OF_SCORES for metric in self.metrics}
        if len(kinds) > 1:
            raise broken_rule(f"metrics={list(self.metrics)}: of labels or of scores, not both.")
        if self.label_names and len(self.label_names) != len(self.labels):
            raise broken_rule("label_names: needs one for each of labels.")
        if self.ignored_label and self.labels and self.ignored_label not in self.labels:
            raise broken_rule(f"ignored_label={self.ignored_label}: isn't one of labels.")
        if self.symmetric and len(self.texts) < 2:
            raise broken_rule("symmetric: needs two texts.")
        if self.entities and self.texts != ("sentence",):
            raise broken_rule('entities: a row needs texts = ["sentence"], which they stand in.')
        if self.prompts and self.labels and len(self.words) != len(self.labels):
            raise broken_rule("words: prompts need one for each of labels.")
        for prompt in self.prompts:
            if unknown := names_in(prompt) - set(self.prompt_fields):
                raise broken_rule(
                    f"prompts: {{{min(unknown)}}} is none of {', '.join(self.prompt_fields)}."
                )
        if self.regression and self.lowest >= self.highest:
            raise broken_rule(f"lowest={self.lowest:g}: has to be below highest.")
        return self

    @property
    def primary(self) -> str:
        """The metric that a comparison is about."""
        return self.metrics[0]

    @property
    def headings(self) -> dict[str, str]:
        """The metrics, the primary one first, and what they are called in tables."""
        return {metric: HEADINGS[metric] for metric in self.metrics}

    @property
    def regression(self) -> bool:
        """Whether a row has a score in place of a label."""
        return self.primary in OF_SCORES

    @property
    def is_own(self) -> bool:
        """Whether the rows are the user's files, not KLUE's."""
        return bool(self.train)

    @property
    def names(self) -> tuple[str, ...]:
        """What the labels are called."""
        return self.label_names or self.labels

    @property
    def orders(self) -> tuple[tuple[str, ...], ...]:
        """The orders in which a model reads the texts: both, where they mean the same."""
        return (self.texts, self.texts[::-1]) if self.symmetric else (self.texts,)

    @property
    def prompt_fields(self) -> dict[str, str]:
        """What a prompt's braces may name, and the column that it is: of a path its last key."""
        fields = {column.rpartition(".")[2]: column for column in self.texts}
        entities = zip(("subject", "object"), ENTITIES) if self.entities else ()
        return fields | dict(entities)

    @property
    def klue_columns(self) -> tuple[str, ...]:
        """Every column that a row of KLUE's has to have."""
        entities = ENTITIES if self.entities else ()
        return ("guid", *self.texts, *entities, self.label.partition(".")[0])

    def target(self, row: Row) -> float | int:
        """Return what the model has to say of this row: a label's id, or a score."""
        return row["label"]

    def degree(self, row: Row) -> int:
        """The place in `words` of what is to be said of a row: of its label, or next to its
        score."""
        if not self.regression:
            return row["label"]
        # Scores lie between the words, which are at equal distances.
        share = (row["label"] - self.lowest) / (self.highest - self.lowest)
        return round(share * (len(self.words) - 1))


_TABLE = read_toml(Path(__file__).with_name("klue.toml"))
_PROMPTS = read_toml(Path(__file__).with_name("prompts.toml"))
HUB_NAME: Final[str] = _TABLE["hub"]["name"]
HUB_REVISION: Final[str] = _TABLE["hub"]["revision"]
TASKS: Final = {
    name: Task.from_table(row | _PROMPTS[name] | {"name": name}, f"klue.toml, {name}")
    for name, row in _TABLE.items()
    if name != "hub"
}
"""KLUE's own."""


def find_task(name: str) -> Task:
    """Return KLUE's task of this name, or the one that a .toml file is; its labels may be missing.

    Raises UserError for a name that is neither, and for a file that says no task.
    """
    if name in TASKS:
        return TASKS[name]
    path = task_file(name)
    table = read_toml(path)
    own = {"name": path.stem, "title": table.get("title", path.stem), "folder": str(path.parent)}
    task = Task.from_table(table | own, str(path))
    require(task.train, f"{path}: 'train' is missing: the files of the rows to train on.")
    require(
        path.stem not in TASKS, f"{path}: {path.stem} is KLUE's own task: name the file otherwise."
    )
    return task


def order_labels(names: Iterable[str]) -> tuple[str, ...]:
    """Return labels in the order that people expect: numbers by their size, other names as in a
    dictionary."""
    unique = set(names)
    if all(name.isdecimal() for name in unique):
        return tuple(sorted(unique, key=lambda name: (int(name), name)))
    return tuple(sorted(unique))


def describe_own(tasks: dict[str, Task]) -> dict[str, Any]:
    """Return those of one's own as JSON, without the place of their files: for what is read where
    these aren't."""
    return {
        name: task.model_dump(mode="json", exclude={"folder"})
        for name, task in tasks.items()
        if task.is_own
    }


def task_file(name: str) -> Path:
    """Return the file of a task of one's own.

    Raises UserError that names the nearest of KLUE's for what is none.
    """
    path = find_path(name)
    require(
        path.suffix == ".toml" and path.is_file(),
        f"task {name!r}: neither one of KLUE's ({', '.join(TASKS)}) nor a .toml file that is there."
        f"{nearest(name, TASKS)}",
    )
    return path


def entities_in_order(row: Row) -> list[tuple[Row, str]]:
    """Return both entities as they stand in the sentence, each with its role.

    S is the subject, O the object.
    """
    entities = [(row["subject_entity"], "S"), (row["object_entity"], "O")]
    return sorted(entities, key=lambda each: each[0]["start_idx"])


def typed_word(row: Row, task: Task, column: str) -> str:
    """Return an entity as a model reads it: behind the word for its type, if the task has one."""
    entity = row[column]
    type_word = task.entity_types.get(entity.get("type", ""))
    return f"{type_word} {entity['word']}" if type_word else entity["word"]


def split_at_entities(row: Row) -> list[str]:
    """Cut the sentence at its entities' edges into five parts."""
    edges = [
        edge
        for entity, _ in entities_in_order(row)
        for edge in (entity["start_idx"], entity["end_idx"] + 1)
    ]
    # Of entities that overlap the second gets the rest.
    rising = accumulate([0, *edges, len(row["sentence"])], max)
    return [row["sentence"][start:end] for start, end in pairwise(rising)]
