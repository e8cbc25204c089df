"""Documents as arrays, and what makes two of them equal or alike: hashes of their letters, MinHash, clusters. Axes: D
documents, U UTF-16 units, L letters and digits, W words, S shingles, B bands. Hashes are uint64."""
import re
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache

import numpy as np
import xxhash

SYMBOL, SPACE, DIGIT, LETTER, HANGUL = range(5)
TRAIN, VALIDATION = -1, -2  # a document's fates; if dropped, 2 x the number of the one that stays, + 1 if only alike
KINDS = np.array([HANGUL if re.match("[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\ud7b0-\ud7fb]", each) else
                  LETTER if each.isalpha() else DIGIT if each.isalnum() else SPACE if each.isspace() else SYMBOL
                  for each in map(chr, range(65536))], dtype=np.uint8)
LOWER = np.array([ord(chr(code).lower()) if len(chr(code).lower()) == 1 else code for code in range(65536)], np.uint16)
# Odd numbers that look random, the same on every machine and with any version of numpy: hashes made of them travel.
CODES, FACTORS, WEIGHTS = (
    np.array([xxhash.xxh3_64_intdigest(number.to_bytes(4, "little"), seed) | 1 for number in range(size)], np.uint64)
    for seed, size in enumerate((65536, 3200, 32)))
FACTORS = FACTORS.astype(np.uint32)
BASE = 0x9e3779b97f4a7c15  # odd, so that it has an inverse


class Texts:
    """A batch of texts as arrays; letters and digits in lower case are what hashes are taken of. The hash of letters s
    to e is a difference of prefix sums modulo 2^64, so that any number of spans costs a few array operations: (P[e] -
    P[s]) / BASE^s with P[i] = sum of CODES[letter j] * BASE^j over j < i (Karp and Rabin). `lines` are the first
    unit of every line and that of its line end, `bounds_D1` every document's first letter and the end of the last."""

    def __init__(self, texts: list[str]):
        raw = [(text + "\n").encode("utf-16-le") for text in texts]
        self.units_U = np.frombuffer(b"".join(raw), dtype="<u2")
        self.ends_D = np.cumsum([len(each) // 2 for each in raw], dtype=np.int64)
        self.starts_D = np.concatenate([[0], self.ends_D[:-1]]).astype(np.int64)
        self.kinds_U = KINDS[self.units_U]
        self.places_L = np.flatnonzero(self.kinds_U >= DIGIT)  # where in the units the letters and digits stand
        self.bounds_D1 = np.append(np.searchsorted(self.places_L, self.starts_D), len(self.places_L))
        ends = np.flatnonzero(self.units_U == ord("\n"))
        self.lines = np.concatenate([[0], ends[:-1] + 1]), ends
        codes_L = CODES[LOWER[self.units_U[self.places_L]]]
        self._num_powers = max(len(codes_L) + 1, 1 << 20)  # nearly always the same, so that they needn't be made anew
        self._sums = np.cumsum(np.append(np.uint64(0), codes_L * _powers(BASE, self._num_powers)[:len(codes_L)]))
        self.line_documents = np.searchsorted(self.ends_D, self.lines[0], side="right")
        self.line_hashes = self.hashes(*np.searchsorted(self.places_L, self.lines))

    def hashes(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Hashes of spans of letters; 0 for an empty one."""
        hashes = (self._sums[ends] - self._sums[starts]) * _powers(pow(BASE, -1, 1 << 64), self._num_powers)[starts]
        hashes ^= hashes >> np.uint64(32)
        hashes *= np.uint64(0xd6e8feb86659fd93)
        return hashes ^ (hashes >> np.uint64(32))

    @cached_property
    def line_copies(self) -> np.ndarray:
        """For every line how many lines before it in its document have the same letters; 0 for lines without any."""
        hashes, documents = self.line_hashes, self.line_documents
        order = np.lexsort((hashes, documents))  # stable: equal lines stay in their order
        new = (np.diff(hashes[order], prepend=np.uint64(0)) != 0) | (np.diff(documents[order], prepend=-1) != 0)
        places = np.arange(len(order))
        copies = np.empty(len(order), dtype=np.int64)
        copies[order] = places - np.maximum.accumulate(np.where(new, places, 0))
        return np.where(hashes == 0, 0, copies)

    def count(self, mask_U: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """How many units of each span are in the mask."""
        sums = np.concatenate([[0], np.cumsum(mask_U, dtype=np.int32)])
        return sums[ends] - sums[starts]


@lru_cache(maxsize=2)  # of BASE and of its inverse
def _powers(base: int, length: int) -> np.ndarray:
    """base^0, base^1, ... modulo 2^64."""
    powers = np.full(length, base, dtype=np.uint64)
    powers[0] = 1
    return np.cumprod(powers)


def letter_hashes(texts: Texts, raw: list[str]) -> np.ndarray:
    """(D,) hashes of the letters and digits alone: 정말 재밌다!! equals 정말재밌다. A text without any counts as it is."""
    hashes = texts.hashes(texts.bounds_D1[:-1], texts.bounds_D1[1:])
    for number in np.flatnonzero(hashes == 0):
        hashes[number] = xxhash.xxh3_64_intdigest(raw[number].encode()) | 1
    return hashes


def band_keys(texts: Texts, num_words: int, bands: int, rows: int) -> np.ndarray:
    """(B, D) keys: documents that agree in all MinHash values of a band share its key; 0 with too few words. MinHash
    (Broder 1997) of words' shingles, permuted by odd factors: the share of equal values estimates the Jaccard index."""
    spaces_L = np.cumsum(texts.kinds_U == SPACE, dtype=np.int32)[texts.places_L]
    starts_W = np.flatnonzero(np.diff(spaces_L, prepend=-1))
    ends_S = np.append(starts_W, len(texts.places_L))[num_words:]
    starts_S = starts_W[:len(ends_S)]
    documents_S = np.searchsorted(texts.bounds_D1, starts_S, side="right") - 1
    whole = ends_S <= texts.bounds_D1[documents_S + 1]
    hashes_S, documents_S = texts.hashes(starts_S[whole], ends_S[whole]), documents_S[whole]
    keys_BD = np.zeros((bands, len(texts.starts_D)), dtype=np.uint64)
    starts = np.flatnonzero(np.diff(documents_S, prepend=-1))
    values_S = (hashes_S >> np.uint64(32)).astype(np.uint32)
    for band in range(bands):
        keys = np.zeros(len(starts), dtype=np.uint64)
        for row in range(rows):
            keys += np.minimum.reduceat(values_S * FACTORS[band * rows + row], starts) * WEIGHTS[row]
        keys_BD[band, documents_S[starts]] = (keys ^ (keys >> np.uint64(31))) | np.uint64(1)
    return keys_BD


def find_clusters(columns: Iterable[np.ndarray], num_documents: int) -> np.ndarray:
    """(D,) int32: the same number for all documents that share a key in any column, directly or through others; 0 is no
    key. One sort a column, then union-find over arrays: 25 bytes a document at the peak."""
    parents_D = np.arange(num_documents, dtype=np.int32 if num_documents < 1 << 31 else np.int64)
    for keys_D in columns:
        order = np.argsort(keys_D).astype(parents_D.dtype)
        keys_D = keys_D[order]
        equal = (keys_D[1:] == keys_D[:-1]) & (keys_D[1:] != 0)
        del keys_D
        pairs = np.stack([order[:-1][equal], order[1:][equal]])
        del order, equal  # before the next arrays take their place
        while pairs.size:
            while ((above := parents_D[pairs]) != pairs).any():
                parents_D[pairs] = pairs = parents_D[above]  # halves the path: equal keys in order make long ones
            pairs = pairs[:, pairs[0] != pairs[1]]
            # Where several pairs give one root a parent the last one stays; the others are still apart next time.
            parents_D[pairs.max(0)] = pairs.min(0)
        while ((above := parents_D[parents_D]) != parents_D).any():
            parents_D = above
        del above
    return parents_D


def choose(roots_D: np.ndarray, ranks_D: np.ndarray, column: Callable[[str], np.ndarray]) -> tuple[np.ndarray, ...]:
    """Of every cluster the document that stays: of the first source, of the most letters, in the fewest bytes (재밌어요.
    rather than 재밌어요!!!♥), then of the lowest hash: by texts alone, not by shards or their order. Returns the dropped
    documents, those that stay in their place, and whether the two are equal by `letter_hashes`."""
    children = np.flatnonzero(roots_D != np.arange(len(roots_D), dtype=roots_D.dtype)).astype(roots_D.dtype)
    members = np.union1d(children, roots_D[children])
    members = members[np.lexsort((column("text")[members], column("bytes")[members], ~column("num_letters")[members],
                                  ranks_D[members], roots_D[members]))]
    first = np.diff(roots_D[members], prepend=-1) != 0
    kept = members[first][np.cumsum(first) - 1]
    letters = column("letters")
    return members[~first], kept[~first], letters[members[~first]] == letters[kept[~first]]


def lowest_hashes(hashes: np.ndarray, sizes: np.ndarray, mine: np.ndarray, share: float) -> np.ndarray:
    """Numbers of those of `mine` with the lowest hashes that together reach `share` of its bytes, or come closest. A
    document's rank depends on its text alone, so adding documents moves few others from one side to the other."""
    wanted = share * float(np.sum(sizes, where=mine))
    for limit in (min(4 * share, 1), 1):  # the lowest part of the hashes nearly always does, and spares sorting all
        low = np.flatnonzero(mine & (hashes <= np.uint64(limit * (2 ** 64 - 2 ** 11))))
        if sizes[low].sum() > 2 * wanted:
            break
    low = low[np.argsort(hashes[low], kind="stable")]
    before = np.cumsum(sizes[low]) - sizes[low] / 2
    return low[before < wanted]
