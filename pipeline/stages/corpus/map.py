"""First map: a shard's documents, cleaned, judged and signed. Of other shards nothing is known."""

from dataclasses import asdict
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xxhash

from corpora.cleaning.filters import drop_lines, drop_reasons
from corpora.contamination import Index
from corpora.duplicates.minhash import band_keys
from corpora.duplicates.texts import Texts, letter_hashes
from corpora.recipe import Recipe, Source
from corpora.sources.shards import Shard
from pipeline.artifacts.parquet import ParquetFile
from pipeline.stages.corpus.check import check_shard
from pipeline.stages.corpus.pieces import Piece, read_batches_of_pieces
from pipeline.stages.corpus.rejects import Rejects
from pipeline.stages.corpus.tables import REJECTS, WORK, feature_schema
from pipeline.stages.corpus.tally import EVALUATION_TEXT, Tally


class Judged(NamedTuple):
    """A batch of pieces, and which of them stay."""

    places: list[str]
    texts: list[str]  # without the lines that were dropped
    arrays: Texts  # of these texts
    stays: np.ndarray  # (D,) bool


def clean_shard(shard: Shard, work: Path, recipe: Recipe, index: Index) -> dict[str, Any]:
    """Write what stays of a shard, its features and its rejects to `work`; return its tally.

    `index` finds evaluation text. Raises UserError when nothing in a shard can be read.
    """
    tally = Tally()
    with (
        ParquetFile(work / f"{shard.name}.parquet", WORK) as documents,
        ParquetFile(work / f"{shard.name}.features.parquet", feature_schema(recipe)) as features,
        ParquetFile(work / f"{shard.name}.rejects.parquet", REJECTS) as rejects_file,
    ):
        rejects = Rejects(rejects_file, shard.source, recipe, tally)
        for pieces in read_batches_of_pieces(shard, recipe, tally, rejects):
            judged = judge(pieces, shard.source, index, rejects)
            raw = [text.encode() for text in judged.texts]
            features.add(*(column[judged.stays] for column in sign(judged, raw, recipe)))
            columns = (judged.texts, judged.places, [len(each) for each in raw])
            documents.add(*(list(compress(column, judged.stays)) for column in columns))
            tally.kept += int(judged.stays.sum())
        rejects.flush()
    check_shard(shard.source, tally)
    return asdict(tally)


def judge(pieces: list[Piece], source: Source, index: Index, rejects: Rejects) -> Judged:
    """Drop lines and whole pieces by the source's limits, and pieces that hold evaluation text."""
    places = [piece.where for piece in pieces]
    whole_texts = [piece.text for piece in pieces]
    arrays = Texts(whole_texts)
    texts, dropped_lines = drop_lines(arrays, whole_texts, source)
    for number, line, reason in dropped_lines:
        rejects.drop(places[number], reason, line)
    if dropped_lines:
        arrays = Texts(texts)
    reasons = drop_reasons(arrays, texts, source)
    for number, name in index.find(arrays).items():
        reasons[number] = reasons[number] or EVALUATION_TEXT + name
    for number, reason in enumerate(reasons):
        if reason:
            rejects.drop(places[number], reason, texts[number] or whole_texts[number])
    return Judged(places, texts, arrays, np.array([not reason for reason in reasons]))


def sign(judged: Judged, raw: list[bytes], recipe: Recipe) -> list[np.ndarray]:
    """The columns of feature_schema for all pieces of a batch; `raw` is their UTF-8.

    Returns (D,) uint64 arrays.
    """
    columns = [
        [xxhash.xxh3_64_intdigest(each) for each in raw],
        [len(each) for each in raw],
        np.diff(judged.arrays.bounds_D1),
        letter_hashes(judged.arrays, judged.texts),
        *band_keys(judged.arrays, recipe.shingle_words, recipe.bands, recipe.band_rows),
    ]
    return [np.asarray(column, dtype=np.uint64) for column in columns]
