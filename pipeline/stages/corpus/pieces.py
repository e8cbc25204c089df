"""A shard's files -> cleaned documents, long ones cut into pieces. They aren't judged here."""

from collections.abc import Callable, Iterator
from itertools import chain, zip_longest
from typing import NamedTuple

import xxhash

from corpora.cleaning.cleanups import load_cleanups
from corpora.cleaning.normalise import clean
from corpora.cleaning.split import split_text
from corpora.pii import replace_personal_data
from corpora.recipe import Recipe, Source
from corpora.sources.hub import read_hub
from corpora.sources.read import read_file
from corpora.sources.records import Record
from corpora.sources.shards import Shard
from pipeline.stages.corpus.rejects import Rejects
from pipeline.stages.corpus.tally import UNREADABLE, Pair, Tally, add_counts

BATCH_CHARACTERS = 300_000
"""Judged at a time: enough for arrays to pay, little enough to stay in the processor's cache."""
PAIR_CHARACTERS = 200
PAIR_CONTEXT = 40  # characters shown before the first difference


class Piece(NamedTuple):
    """A document, or a piece of one that was cut."""

    where: str
    text: str


def read_batches_of_pieces(
    shard: Shard, recipe: Recipe, tally: Tally, rejects: Rejects
) -> Iterator[list[Piece]]:
    """A shard's pieces, so many at a time as are judged together."""
    batch: list[Piece] = []
    num_characters = 0
    for piece in read_pieces(shard, recipe, tally, rejects):
        batch.append(piece)
        num_characters += len(piece.text)
        if num_characters >= BATCH_CHARACTERS:
            yield batch
            batch = []
            num_characters = 0
    if batch:
        yield batch


def read_pieces(shard: Shard, recipe: Recipe, tally: Tally, rejects: Rejects) -> Iterator[Piece]:
    """Read and clean a shard's documents; count what is seen, record what is dropped."""
    source = shard.source
    cleanups = load_cleanups(recipe)
    steps = [cleanups[name] for name in source.clean]
    if source.kind == "hub":
        records = read_hub(shard)
    else:
        records = chain.from_iterable(read_file(source, *file) for file in shard.files)
    for record in records:
        if record.reason:
            tally.count_unreadable(record.where, record.num_lines)
            rejects.drop(record.where, UNREADABLE + record.reason, record.text)
            continue
        text = clean_record(record, steps, recipe, tally)
        if not text:
            rejects.drop(record.where, "empty", record.text)
        yield from cut(record.where, text, source, rejects)


def clean_record(
    record: Record, steps: list[Callable[[str], str]], recipe: Recipe, tally: Tally
) -> str:
    """Return a document's cleaned text without personal data, which may be empty, and count it."""
    raw = record.text.encode()
    before = record.text.strip()
    text, repairs = clean(record.text, record.title, steps)
    text, found = replace_personal_data(text, recipe.personal_data)
    tally.documents += 1
    tally.readable += record.num_lines
    tally.bytes += len(raw)
    tally.characters += len(record.text)
    add_counts(tally.repairs, repairs._asdict())
    add_counts(tally.personal_data, found)
    if text != before:
        tally.changed += 1
        # The texts of the lowest hashes are shown in the report.
        rank = -xxhash.xxh3_64_intdigest(raw)
        if tally.wants_pair(rank):
            # A report isn't to hold any personal data.
            before, _ = replace_personal_data(before, recipe.personal_data)
            if text != before:
                tally.add_pairs([make_pair(rank, record.where, before, text)])
    return text


def make_pair(rank: int, where: str, before: str, after: str) -> Pair:
    """The parts of two different texts around their first difference."""
    characters = enumerate(zip_longest(before, after))
    difference = next(place for place, (old, new) in characters if old != new)
    start = max(0, difference - PAIR_CONTEXT)
    end = start + PAIR_CHARACTERS
    return Pair(rank, where, before[start:end], after[start:end])


def cut(where: str, text: str, source: Source, rejects: Rejects) -> Iterator[Piece]:
    """A document as the pieces that its source's `split` makes of it; drop those too long."""
    texts = split_text(text, source.split, source.split_bytes)
    for number, untrimmed in enumerate(texts):
        piece = Piece(where if len(texts) == 1 else f"{where}#{number}", untrimmed.strip())
        if len(piece.text) > source.max_chars:
            rejects.drop(piece.where, "too long", piece.text)
        elif piece.text:
            yield piece
