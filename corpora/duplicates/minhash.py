"""MinHash signatures (Broder 1997): keys that documents which are alike are likely to share.

Axes: D documents, L letters and digits, W words, S shingles (words in a row), B bands."""

import numpy as np

from corpora.duplicates.texts import SPACE, Texts, random_odd_numbers


def band_keys(texts: Texts, num_words: int, bands: int, rows: int) -> np.ndarray:
    """Return (B, D) uint64 keys: documents that agree in all MinHash values of a band share its
    key.

    It is 0 for a document of fewer than `num_words` words. The share of equal values of two
    documents estimates the Jaccard index of their shingles.
    """
    hashes_S, documents_S = _hash_shingles(texts, num_words)
    values_S = (hashes_S >> np.uint64(32)).astype(np.uint32)
    firsts = np.flatnonzero(np.diff(documents_S, prepend=-1))  # each document's first shingle
    # An odd factor permutes the 32-bit numbers: one permutation for each MinHash value.
    factors = random_odd_numbers(seed=1, count=bands * rows).astype(np.uint32)
    # A band's key is the weighted sum of its values.
    weights = random_odd_numbers(seed=2, count=rows)
    documents = documents_S[firsts]
    keys_BD = np.zeros((bands, len(texts.starts_D)), dtype=np.uint64)
    for band in range(bands):
        keys = np.zeros(len(firsts), dtype=np.uint64)
        for row in range(rows):
            permuted_S = values_S * factors[band * rows + row]
            keys += np.minimum.reduceat(permuted_S, firsts) * weights[row]
        keys_BD[band, documents] = (keys ^ (keys >> np.uint64(31))) | np.uint64(1)
    return keys_BD


def _hash_shingles(texts: Texts, num_words: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all runs of `num_words` words within documents, and their documents."""
    # A word begins at a letter before which there are more spaces than before the last letter.
    num_spaces_L = np.cumsum(texts.kinds_U == SPACE, dtype=np.int32)[texts.places_L]
    starts_W = np.flatnonzero(np.diff(num_spaces_L, prepend=-1))
    # A shingle ends where the word after it begins.
    ends_S = np.append(starts_W, len(texts.places_L))[num_words:]
    starts_S = starts_W[: len(ends_S)]
    documents_S = np.searchsorted(texts.bounds_D1, starts_S, side="right") - 1
    within_S = ends_S <= texts.bounds_D1[documents_S + 1]
    hashes_S = texts.hash_spans(starts_S[within_S], ends_S[within_S])
    return hashes_S, documents_S[within_S]
