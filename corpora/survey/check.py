"""Whether the project's own readers read what was proposed: the first documents of every source."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from corpora.errors import UserError
from corpora.recipe import Source
from corpora.sources.read import read_file
from corpora.sources.records import Record
from corpora.survey.groups import Proposal, Reasons

NUM_FILES: Final = 50
NUM_RECORDS: Final = 20  # of each of these files
NUM_SHOWN: Final = 3
SHOWN: Final = 60  # characters


@dataclass
class Reading:
    """What came of reading the beginnings of a source's files."""

    documents: list[Record] = field(default_factory=list)
    bad: list[Record] = field(default_factory=list)

    @property
    def lengths(self) -> list[int]:
        """Characters of each document."""
        return [len(record.text) for record in self.documents]

    @property
    def median_length(self) -> float:
        """Characters of a document in the middle."""
        return statistics.median(self.lengths) if self.documents else 0

    @property
    def beginnings(self) -> list[str]:
        """The first documents' first words, of different files if there are several."""
        by_file: dict[str, Record] = {}
        for record in self.documents:
            by_file.setdefault(record.where.rpartition(":")[0], record)
        first = list(by_file.values()) if len(by_file) >= NUM_SHOWN else self.documents
        return [" ".join(f"{each.title} {each.text}".split())[:SHOWN] for each in first[:NUM_SHOWN]]


def read_beginnings(proposal: Proposal, reasons: Reasons) -> Reading:
    """Read the first documents of a source's first files; take out of it, with the reason, those
    that can't be read."""
    source = make_source(proposal.settings)
    reading = Reading()
    refused: list[Path] = []
    for each in proposal.files[:NUM_FILES]:
        try:
            records = list(_first_records(source, each.path, each.label))
        except UserError as error:
            refused.append(each.path)
            reasons.setdefault(str(error), []).append(each.label)
            continue
        reading.documents += [record for record in records if not record.reason]
        reading.bad += [record for record in records if record.reason]
    proposal.files = [each for each in proposal.files if each.path not in refused]
    return reading


def make_source(settings: dict[str, Any]) -> Source:
    """Return a source with these settings, for reading by its readers alone."""
    table = {"name": "survey", "kind": "files", "licence": "unknown", "paths": ["*"], **settings}
    return Source.from_table(table, "the recipe")


def _first_records(source: Source, path: Path, label: str) -> Iterator[Record]:
    records = read_file(source, path, label)
    yield from islice(records, NUM_RECORDS)
