"""What a shard's first map drops: written with its place and the reason, and counted."""

from corpora.pii import replace_personal_data
from corpora.recipe import Recipe, Source
from corpora.sources.records import EXCERPT
from pipeline.artifacts.parquet import ParquetFile
from pipeline.stages.corpus.tally import Tally

BUFFERED_ROWS = 1000


class Rejects:
    """The beginnings of a shard's dropped texts, on their way to its file of rejects."""

    def __init__(self, file: ParquetFile, source: Source, recipe: Recipe, tally: Tally) -> None:
        self.file = file
        self.source = source
        self.recipe = recipe
        self.tally = tally
        self.rows: list[tuple[str, str, str, str, None]] = []  # not in the file yet

    def drop(self, where: str, reason: str, text: str) -> None:
        """Record a text that is dropped, without its personal data."""
        # What can't be read wasn't looked at before.
        excerpt, _ = replace_personal_data(text[:EXCERPT], self.recipe.personal_data)
        self.rows.append((self.source.name, where, reason, excerpt, None))
        if len(self.rows) == BUFFERED_ROWS:
            self.flush()
        self.tally.drop(reason, where, excerpt)

    def flush(self) -> None:
        """Hand what is recorded to the file; the last thing to do."""
        if self.rows:
            self.file.add(*zip(*self.rows))
            self.rows = []
