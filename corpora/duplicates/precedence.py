"""Which document of a cluster of duplicates stays: of two sources, the first one's.

It sees only arrays of numbers, one entry a document (axis D); axis M: members of clusters."""

from collections.abc import Callable
from typing import Final

import numpy as np

# What becomes of a document: one of these, or, if it is dropped, 2 x the number of the one that
# stays in its place, + 1 if the two are only alike.
TRAIN: Final = -1
VALIDATION: Final = -2


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
