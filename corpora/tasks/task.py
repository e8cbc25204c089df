"""What a labelled task is, KLUE's four as rows of klue.toml, and what whoever uses a task or one of
its examples has to know of it. Examples are read in rows.py."""

from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Final

from corpora.settings import Settings, read_toml

Row = dict[str, Any]
"""One example of a task, as rows.py checked it."""

SPLITS: Final = ("train", "validation")
ENTITIES: Final = ("subject_entity", "object_entity")


class Task(Settings):
    """One labelled task: what its rows look like and how it is scored."""

    name: str
    """Its name in settings, files and folders."""
    title: str
    """Its name in tables."""
    texts: tuple[str, ...]
    """Columns that the model reads, one or two."""
    labels: tuple[str, ...]
    """Names in the Hub's order, which isn't KLUE-baseline's; none for regression."""
    entities: bool = False
    """Whether a row has a subject and an object, marked in its sentence."""
    metrics: dict[str, str]
    """Name -> heading in tables, the primary metric first."""
    official_rows: dict[str, int]
    """Rows of KLUE v1.1's own splits."""

    @property
    def primary(self) -> str:
        """The metric that a comparison is about."""
        return next(iter(self.metrics))

    @property
    def regression(self) -> bool:
        """Whether a row has a score from 0 to 5 in place of a label."""
        return not self.labels

    @property
    def orders(self) -> tuple[tuple[str, ...], ...]:
        """The orders in which a model reads the texts: both, where either has the same score."""
        return (self.texts, self.texts[::-1]) if self.regression else (self.texts,)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of a row."""
        entities = ENTITIES if self.entities else ()
        return ("guid", *self.texts, *entities, "labels" if self.regression else "label")

    def target(self, row: Row) -> float | int:
        """Return what the model has to say of this row.

        It is a label id, or the mean human score from 0 to 5.
        """
        return row["labels"]["real-label"] if self.regression else row["label"]


_TABLE = read_toml(Path(__file__).with_name("klue.toml"))
HUB_NAME: Final[str] = _TABLE["hub"]["name"]
HUB_REVISION: Final[str] = _TABLE["hub"]["revision"]
TASKS: Final = {
    name: Task.from_table(row | {"name": name}, f"klue.toml, {name}")
    for name, row in _TABLE.items()
    if name != "hub"
}


def entities_in_order(row: Row) -> list[tuple[Row, str]]:
    """Return both entities as they stand in the sentence, each with its role.

    S is the subject, O the object.
    """
    entities = [(row["subject_entity"], "S"), (row["object_entity"], "O")]
    return sorted(entities, key=lambda each: each[0]["start_idx"])


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
