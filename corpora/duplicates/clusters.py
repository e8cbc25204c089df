"""Clusters of documents that share a key. Which one of each stays is precedence.py's to say.

All of it sees only arrays of numbers, one entry a document (axis D): memory here is what limits the
size of a corpus, so each array goes as soon as it can. 2P: pairs."""

from collections.abc import Iterable

import numpy as np


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
