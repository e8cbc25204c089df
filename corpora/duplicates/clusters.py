"""Clusters of documents that share a key: which one of each stays, and which documents become
validation text.

All of it sees only arrays of numbers, one entry a document (axis D): memory here is what limits the
size of a corpus, so each array goes as soon as it can. Axis M: members of clusters; 2P: pairs."""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

# A document's fate, beside that of a dropped one: 2 x the number of the document that stays in its
# place, + 1 if the two are only alike.
TRAIN: Final = -1
VALIDATION: Final = -2

MAX_HASH: Final = 2**64 - 2**11  # the greatest float64 below 2^64


def find_clusters(columns: Iterable[np.ndarray], num_documents: int) -> np.ndarray:
    """Return (D,) the number of every document's cluster, which is its lowest member's.

    Documents that share a key in any of the (D,) uint64 columns are in one cluster, directly or
    through others; 0 is no key. One sort a column, then union-find over arrays. If the iterable
    keeps no column, this takes 25 bytes a document at the peak, 37 where all have the same key.
    """
    number_type = np.int32 if num_documents < 1 << 31 else np.int64
    parents_D = np.arange(num_documents, dtype=number_type)  # a root is its own parent
    for keys_D in columns:
        order_D = np.argsort(keys_D).astype(number_type)
        sorted_D = keys_D[order_D]
        del keys_D
        same = (sorted_D[1:] == sorted_D[:-1]) & (sorted_D[1:] != 0)
        del sorted_D
        pairs_2P = np.stack([order_D[:-1][same], order_D[1:][same]])
        del order_D, same
        while pairs_2P.size:
            _climb_to_roots(parents_D, pairs_2P)
            pairs_2P = pairs_2P[:, pairs_2P[0] != pairs_2P[1]]
            # Where several pairs give one root a parent the last one stays; the others are still
            # apart next time.
            parents_D[pairs_2P.max(axis=0)] = pairs_2P.min(axis=0)
        parents_D = _point_at_roots(parents_D)
    return parents_D


def _climb_to_roots(parents_D: np.ndarray, documents: np.ndarray) -> None:
    """Replace documents by their roots, in place.

    Every step halves the paths that it climbs: equal keys in order make long ones.
    """
    while True:
        above = parents_D[documents]
        if np.array_equal(above, documents):
            return
        grandparents = parents_D[above]
        parents_D[documents] = grandparents
        documents[:] = grandparents


def _point_at_roots(parents_D: np.ndarray) -> np.ndarray:
    """(D,) every document's root in place of its parent."""
    while True:
        above_D = parents_D[parents_D]
        if np.array_equal(above_D, parents_D):
            return parents_D
        parents_D = above_D


def choose(
    clusters_D: np.ndarray, ranks_D: np.ndarray, column: Callable[[str], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose the document of every cluster that stays: of the first source, of the most letters, in
    the fewest bytes (재밌어요. rather than 재밌어요!!!♥), then of the lowest hash. So texts alone
    decide, not shards or their order.

    Args:
        clusters_D: every document's cluster, from `find_clusters`.
        ranks_D: the place of every document's source in the recipe.
        column: gives a (D,) uint64 column by name: text (a hash of it), bytes, num_letters, letters
            (from `letter_hashes`).

    Returns the dropped documents; for each of them the one that stays in its place; and whether the
    two have equal letters.
    """
    children = np.flatnonzero(clusters_D != np.arange(len(clusters_D), dtype=clusters_D.dtype))
    children = children.astype(clusters_D.dtype)
    members_M = np.union1d(children, clusters_D[children])
    least_important_first = (
        column("text")[members_M],
        column("bytes")[members_M],
        ~column("num_letters")[members_M],  # the most letters first
        ranks_D[members_M],
        clusters_D[members_M],
    )
    members_M = members_M[np.lexsort(least_important_first)]
    del least_important_first
    stays_M = np.diff(clusters_D[members_M], prepend=-1) != 0  # the first of its cluster
    stayers_M = members_M[stays_M][np.cumsum(stays_M) - 1]
    dropped = members_M[~stays_M]
    kept = stayers_M[~stays_M]
    letters_D = column("letters")
    return dropped, kept, letters_D[dropped] == letters_D[kept]


def lowest_hashes(
    hashes_D: np.ndarray, sizes_D: np.ndarray, eligible_D: np.ndarray, byte_share: float
) -> np.ndarray:
    """Return the numbers of the eligible documents with the lowest hashes that together reach
    `byte_share` of the eligible bytes, or come closest.

    A document's rank depends on its text alone, so adding documents moves few others from one side
    to the other.
    """
    wanted = byte_share * float(np.sum(sizes_D, where=eligible_D))
    # The lowest part of the hashes nearly always does, and spares sorting all of them.
    low = _eligible_below(hashes_D, eligible_D, min(4 * byte_share, 1))
    if sizes_D[low].sum() <= 2 * wanted:
        low = _eligible_below(hashes_D, eligible_D, 1)
    low = low[np.argsort(hashes_D[low], kind="stable")]
    middles = np.cumsum(sizes_D[low]) - sizes_D[low] / 2
    return low[middles < wanted]


def _eligible_below(hashes_D: np.ndarray, eligible_D: np.ndarray, limit: float) -> np.ndarray:
    """Numbers of the eligible documents whose hashes are in the lowest part, `limit`, of all there
    can be."""
    return np.flatnonzero(eligible_D & (hashes_D <= np.uint64(limit * MAX_HASH)))
