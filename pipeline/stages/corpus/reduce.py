"""Reduce: of all documents' features, which stay and which are copies, and which become validation
text. Memory here is what limits the size of a corpus."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypedDict

import numpy as np

from corpora.duplicates.clusters import find_clusters
from corpora.duplicates.precedence import TRAIN, VALIDATION, choose
from corpora.recipe import Recipe
from corpora.sources.shards import Shard
from corpora.validation_split import lowest_hashes
from pipeline.artifacts.files import fsync
from pipeline.artifacts.parquet import read_batches
from pipeline.stages.corpus.tables import equality_columns

CLUSTER_SIZES = {
    "2": 2,
    "3": 3,
    "4": 4,
    "5 to 9": 5,
    "10 to 99": 10,
    "100 to 999": 100,
    "1000 or more": 1000,
}
"""Where each row of the report's table of clusters begins."""
NUM_LARGEST = 10


class ClusterCounts(TypedDict):
    """How much there is of equal and near-equal documents."""

    clusters: int
    documents: int  # in all of them, those that stay included
    sizes: dict[str, int]  # clusters in each row of CLUSTER_SIZES
    largest: list[int]  # by the numbers of the documents that stay


def decide(recipe: Recipe, shards: list[Shard], work: Path, bounds: list[int]) -> ClusterCounts:
    """Write the documents' fates and the clusters to `work`; return how large the clusters are.

    A document's number is its place in the order of all shards: `bounds` are the first numbers of
    the shards, and the end. clusters.npy is (2, C): a cluster's number and its documents.
    """
    read = partial(read_column, work, shards, bounds[-1])
    ranks = [recipe.source.index(shard.source) for shard in shards]
    ranks_D = np.repeat(np.array(ranks, np.uint16), np.diff(bounds))
    fates_D, clusters_C, num_copies_C = find_fates(read, ranks_D, recipe)
    hashes_D = read("text")
    choose_validation(fates_D, ranks_D, hashes_D, read("bytes").astype(np.uint32), recipe)
    del ranks_D
    arrays = {"fates": fates_D, "clusters": np.stack([clusters_C, num_copies_C + 1])}
    for name, array in arrays.items():
        np.save(work / f"{name}.npy", array)
        fsync(work / f"{name}.npy")  # before the step is said to be done
    largest = np.lexsort((hashes_D[clusters_C], -num_copies_C))[:NUM_LARGEST]
    spread, _ = np.histogram(num_copies_C + 1, [*CLUSTER_SIZES.values(), np.inf])
    return ClusterCounts(
        clusters=len(clusters_C),
        documents=int(num_copies_C.sum() + len(clusters_C)),
        sizes=dict(zip(CLUSTER_SIZES, spread.tolist())),
        largest=clusters_C[largest].tolist(),
    )


def choose_validation(
    fates_D: np.ndarray,
    ranks_D: np.ndarray,
    hashes_D: np.ndarray,
    sizes_D: np.ndarray,
    recipe: Recipe,
) -> None:
    """Turn TRAIN into VALIDATION, in `fates_D`, for each source's share of validation text."""
    for rank in range(len(recipe.source)):
        is_candidate_D = (ranks_D == rank) & (fates_D == TRAIN)
        chosen = lowest_hashes(hashes_D, sizes_D, is_candidate_D, recipe.validation_share)
        fates_D[chosen] = VALIDATION


def read_column(work: Path, shards: list[Shard], num_documents: int, name: str) -> np.ndarray:
    """A feature of all documents, (D,) uint64, in the shards' order."""
    values_D = np.empty(num_documents, dtype=np.uint64)
    start = 0
    for shard in shards:
        for batch in read_batches(work / f"{shard.name}.features.parquet", [name]):
            end = start + len(batch)
            values_D[start:end] = batch[name]
            start = end
    return values_D


def find_fates(
    read: Callable[[str], np.ndarray], ranks_D: np.ndarray, recipe: Recipe
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the clusters, and which document of each stays.

    `read` gives a feature by its name; `ranks_D` are the sources' places in the recipe. Returns
    (D,) fates: TRAIN, or of a copy twice the number of the document that stays, plus 1 if the two
    are only alike; (C,) the numbers of the documents that stay; and (C,) how many copies of each
    are dropped.
    """
    num_documents = len(ranks_D)
    dropped, kept, equal = choose(
        find_clusters(map(read, equality_columns(recipe)), num_documents), ranks_D, read
    )
    fates_D = np.full(num_documents, TRAIN, np.int32 if num_documents < 1 << 30 else np.int64)
    fates_D[dropped] = 2 * kept.astype(fates_D.dtype) + ~equal
    clusters_C, num_copies_C = np.unique(kept, return_counts=True)
    return fates_D, clusters_C, num_copies_C
