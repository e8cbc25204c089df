"""Reduce: of all documents' features, which stay and which are copies, and which become validation
text. Memory here is what limits the size of a corpus."""

from pathlib import Path
from typing import TypedDict

import numpy as np

from corpora.duplicates.clusters import TRAIN, VALIDATION, choose, find_clusters, lowest_hashes
from corpora.recipe import Recipe
from corpora.sources.shards import Shard
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


class Features:
    """The columns of all shards' features, each read when it is asked for."""

    def __init__(self, work: Path, shards: list[Shard], num_documents: int) -> None:
        self.paths = [work / f"{shard.name}.features.parquet" for shard in shards]
        self.num_documents = num_documents

    def column(self, name: str) -> np.ndarray:
        """(D,) uint64, in the shards' order."""
        values_D = np.empty(self.num_documents, dtype=np.uint64)
        start = 0
        for path in self.paths:
            for batch in read_batches(path, [name]):
                end = start + len(batch)
                values_D[start:end] = batch[name]
                start = end
        return values_D


def decide(recipe: Recipe, shards: list[Shard], work: Path, bounds: list[int]) -> ClusterCounts:
    """Write the documents' fates and the clusters to `work`; return how large the clusters are.

    A document's number is its place in the order of all shards: `bounds` are the first numbers of
    the shards, and the end. clusters.npy is (2, C): a cluster's number and its documents.
    """
    features = Features(work, shards, bounds[-1])
    ranks_D = np.repeat(
        np.array([recipe.source.index(shard.source) for shard in shards], np.uint16),
        np.diff(bounds),
    )
    fates_D, clusters_C, num_copies_C = find_fates(features, ranks_D, recipe)
    hashes_D = features.column("text")
    choose_validation(fates_D, ranks_D, hashes_D, features, recipe)
    save(work / "fates.npy", fates_D)
    save(work / "clusters.npy", np.stack([clusters_C, num_copies_C + 1]))
    largest = np.lexsort((hashes_D[clusters_C], -num_copies_C))[:NUM_LARGEST]
    spread, _ = np.histogram(num_copies_C + 1, [*CLUSTER_SIZES.values(), np.inf])
    return ClusterCounts(
        clusters=len(clusters_C),
        documents=int(num_copies_C.sum() + len(clusters_C)),
        sizes=dict(zip(CLUSTER_SIZES, spread.tolist())),
        largest=clusters_C[largest].tolist(),
    )


def find_fates(
    features: Features, ranks_D: np.ndarray, recipe: Recipe
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the clusters, and which document of each stays.

    `ranks_D` are the sources' places in the recipe. Returns (D,) fates: TRAIN, or of a copy twice
    the number of the document that stays, plus 1 if the two are only alike; (C,) the numbers of the
    documents that stay; and (C,) how many copies of each are dropped.
    """
    num_documents = len(ranks_D)
    dropped, kept, equal = choose(
        find_clusters(map(features.column, equality_columns(recipe)), num_documents),
        ranks_D,
        features.column,
    )
    fates_D = np.full(num_documents, TRAIN, np.int32 if num_documents < 1 << 30 else np.int64)
    fates_D[dropped] = 2 * kept.astype(fates_D.dtype) + ~equal
    clusters_C, num_copies_C = np.unique(kept, return_counts=True)
    return fates_D, clusters_C, num_copies_C


def choose_validation(
    fates_D: np.ndarray,
    ranks_D: np.ndarray,
    hashes_D: np.ndarray,
    features: Features,
    recipe: Recipe,
) -> None:
    """Make validation text of a share of each source's bytes, in place: of the lowest hashes."""
    sizes_D = features.column("bytes").astype(np.uint32)
    for rank in range(len(recipe.source)):
        is_candidate_D = (ranks_D == rank) & (fates_D == TRAIN)
        chosen = lowest_hashes(hashes_D, sizes_D, is_candidate_D, recipe.validation_share)
        fates_D[chosen] = VALIDATION


def save(path: Path, array: np.ndarray) -> None:
    """Write an array that has reached the disk before the step is said to be done."""
    np.save(path, array)
    fsync(path)
