"""Which documents become validation text. It sees only arrays of numbers, one entry a document
(axis D)."""

from typing import Final

import numpy as np

MAX_HASH: Final = 2**64 - 2**11  # the greatest float64 below 2^64


def lowest_hashes(
    hashes_D: np.ndarray, sizes_D: np.ndarray, eligible_D: np.ndarray, byte_share: float
) -> np.ndarray:
    """Return the numbers of the eligible documents with the lowest hashes that together reach
    `byte_share` of the eligible bytes, or come closest.

    A document's rank depends on its text alone, so adding documents moves few others from one side
    to the other.
    """
    wanted = byte_share * float(np.sum(sizes_D, where=eligible_D))
    # The lowest part of the hashes nearly always holds enough, which spares sorting all of them.
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
