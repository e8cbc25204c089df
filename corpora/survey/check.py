"""Whether the project's own readers read what was proposed: the first documents of every source."""

from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from corpora.errors import UserError
from corpora.recipe import Source
from corpora.sources.read import read_file
from corpora.sources.records import Record
from corpora.survey.groups import Found, Proposal, Reasons

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
    def beginnings(self) -> list[str]:
        """The first words of some documents, from the first to the last file that was read."""
        some = self.documents[:: len(self.documents) // NUM_SHOWN or 1][:NUM_SHOWN]
        return [" ".join(f"{each.title} {each.text}".split())[:SHOWN] for each in some]


def read_beginnings(proposal: Proposal, reasons: Reasons) -> Reading:
    """Read the first documents of a source's first files; take out of it, with the reason, those
    of which nothing can be read."""
    table = {"name": "survey", "kind": "files", "licence": "unknown", "paths": ["*"]}
    source = Source.from_table(table | proposal.settings, "the recipe")
    reading = Reading()
    readable: list[Found] = []
    for each in proposal.files[:NUM_FILES]:
        try:
            records = list(islice(read_file(source, each.path, each.label), NUM_RECORDS))
        except UserError as error:
            reasons[str(error)].append(each.label)
            continue
        bad = [record for record in records if record.reason]
        if bad == records:
            reasons[bad[0].reason if bad else "no document in it"].append(each.label)
            continue
        readable.append(each)
        reading.bad += bad
        reading.documents += [record for record in records if not record.reason]
    others = proposal.files[NUM_FILES:]
    if not readable:
        reasons["nothing can be read of the files like it"] += [each.label for each in others]
        others = []
    proposal.files = readable + others
    return reading
