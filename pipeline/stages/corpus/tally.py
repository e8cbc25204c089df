"""What the corpus stage counts, of a shard and of a source.

Dataclasses that travel as JSON in the results of the maps: `asdict` writes them, pydantic reads
them again. How they become a report is report.py's to say.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from corpora.cleaning.normalise import NO_REPAIRS
from corpora.sources.records import BYTE_PLACE

NUM_EXAMPLES = 5
NUM_PAIRS = 10
EVALUATION_TEXT = "evaluation text: "
LINE = "line "
"""How reasons begin that drop a line, not a document."""
UNREADABLE = "unreadable: "
"""How reasons begin of records that can't be read."""


class Pair(NamedTuple):
    """The beginning of a document before and after cleaning, from where they differ."""

    rank: int  # the pairs of the highest ranks are kept
    where: str
    before: str
    after: str


@dataclass
class Example:
    """The beginning of a text that was dropped, and its place."""

    where: str
    text: str


@dataclass
class Drops:
    """How many texts were dropped for one reason, and the first few of them."""

    count: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass
class Size:
    """How much text there is."""

    documents: int = 0
    characters: int = 0
    bytes: int = 0

    def add(self, other: "Size") -> None:
        """Add another size."""
        self.documents += other.documents
        self.characters += other.characters
        self.bytes += other.bytes


@dataclass
class Tally(Size):
    """What the maps see in a shard. `documents` are those that can be read, as they came."""

    changed: int = 0  # documents that cleaning made another text of
    repairs: dict[str, int] = field(default_factory=NO_REPAIRS._asdict)  # by the kind
    readable: int = 0  # records; of a text that is read as a whole, lines
    unreadable: int = 0  # of the same
    unreadable_in: dict[str, int] = field(default_factory=dict)  # by the file
    kept: int = 0  # documents, or pieces of those that were cut
    dropped: dict[str, Drops] = field(default_factory=dict)  # by the reason
    personal_data: dict[str, int] = field(default_factory=dict)  # by the kind
    pairs: list[Pair] = field(default_factory=list)
    train: Size = field(default_factory=Size)
    validation: Size = field(default_factory=Size)
    num_dropped: int = 0  # documents, or pieces of those that were cut

    def drop(self, reason: str, where: str, text: str) -> None:
        """Count a text under its reason, and keep it if it's one of the first few.

        Evaluation text counts by task and split, not by the row that was found, and what can't be
        read not by the byte.
        """
        if not reason.startswith(LINE):
            self.num_dropped += 1
        if reason.startswith(EVALUATION_TEXT):
            reason = " ".join(reason.split(" ")[:4])
        if byte := BYTE_PLACE.search(reason):
            reason = BYTE_PLACE.sub("", reason)
            where = f"{where}, {byte[1]}"
        drops = self.dropped.setdefault(reason, Drops())
        drops.count += 1
        if len(drops.examples) < NUM_EXAMPLES:
            drops.examples.append(Example(where, text[:200]))

    def count_unreadable(self, where: str, num_lines: int) -> None:
        """Count a record that can't be read, here and in its file."""
        self.unreadable += num_lines
        add_counts(self.unreadable_in, {re.sub(r":\d+$", "", where): num_lines})

    def wants_pair(self, rank: int) -> bool:
        """Whether a pair of this rank would be among the few that are kept."""
        return len(self.pairs) < NUM_PAIRS or rank > self.pairs[-1].rank

    def add_pairs(self, pairs: list[Pair]) -> None:
        """Keep the pairs of the highest ranks."""
        self.pairs = sorted([*self.pairs, *pairs], reverse=True)[:NUM_PAIRS]

    def add_tally(self, other: "Tally") -> None:
        """Add what was counted of another shard, or by the other map."""
        self.add(other)
        self.changed += other.changed
        add_counts(self.repairs, other.repairs)
        self.readable += other.readable
        self.unreadable += other.unreadable
        add_counts(self.unreadable_in, other.unreadable_in)
        self.kept += other.kept
        for reason, more in other.dropped.items():
            drops = self.dropped.setdefault(reason, Drops())
            drops.count += more.count
            drops.examples = [*drops.examples, *more.examples][:NUM_EXAMPLES]
        add_counts(self.personal_data, other.personal_data)
        self.add_pairs(other.pairs)
        self.train.add(other.train)
        self.validation.add(other.validation)
        self.num_dropped += other.num_dropped


def add_counts(counts: dict[str, int], more: dict[str, int]) -> None:
    """Add numbers to those of the same name."""
    for name, number in more.items():
        counts[name] = counts.get(name, 0) + number
