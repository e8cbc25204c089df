"""A batch of texts as arrays: kinds of characters, lines, and hashes of any span of letters.

Axes: D documents, U UTF-16 units, N lines, L letters and digits. Hashes are uint64. How near
duplicates are found stands in minhash.py, which copy stays in precedence.py."""

import re
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import xxhash

NUM_UNITS: Final = 1 << 16
HANGUL_UNIT: Final = re.compile(
    "[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\ud7b0-\ud7fb]"
)

# Kinds of UTF-16 units. Their order is used: `>= LETTER` is a letter of any script, `>= DIGIT` what
# texts are compared by. A half of a surrogate pair (an emoji, a rare Hanja) is a symbol.
SYMBOL: Final = 0
SPACE: Final = 1
DIGIT: Final = 2
LETTER: Final = 3
HANGUL: Final = 4


def _kind_of(character: str) -> int:
    if HANGUL_UNIT.match(character):
        return HANGUL
    if character.isalpha():
        return LETTER
    if character.isalnum():
        return DIGIT
    return SPACE if character.isspace() else SYMBOL


def _lower(unit: int) -> int:
    lower = chr(unit).lower()
    return ord(lower) if len(lower) == 1 else unit


def random_odd_numbers(seed: int, count: int) -> np.ndarray:
    """Return (count,) uint64 odd numbers that look random.

    They are the same on every machine and with any version of numpy, so hashes made of them travel.
    """
    numbers = [
        xxhash.xxh3_64_intdigest(number.to_bytes(4, "little"), seed) | 1 for number in range(count)
    ]
    return np.array(numbers, dtype=np.uint64)


KINDS: Final = np.array([_kind_of(chr(unit)) for unit in range(NUM_UNITS)], dtype=np.uint8)
"""(65536,) the kind of every UTF-16 unit."""
LOWER: Final = np.array([_lower(unit) for unit in range(NUM_UNITS)], dtype=np.uint16)
"""(65536,) every unit in lower case; one whose lower case is longer stays."""
CODES: Final = random_odd_numbers(seed=0, count=NUM_UNITS)
"""(65536,) the number that stands for a unit in a hash."""
BASE: Final = 0x9E3779B97F4A7C15  # 2^64 / the golden ratio; odd, so that it has an inverse
INVERSE: Final = pow(BASE, -1, 1 << 64)
MIXER: Final = np.uint64(0xD6E8FEB86659FD93)  # the multiplier of degski's 64-bit mixer
NUM_POWERS: Final = 1 << 20  # more than most batches have letters


class Texts:
    """A batch of texts as arrays, a line end added to each.

    Letters and digits in lower case are what hashes are taken of. The hash of letters s to e is a
    difference of prefix sums modulo 2^64, so that any number of spans costs a few array operations:
    (P[e] - P[s]) / BASE^s with P[i] = sum of CODES[letter j] * BASE^j over j < i (Karp and Rabin,
    1987).

    - `units_U`, `kinds_U`: every unit, and its kind.
    - `starts_D`, `ends_D`: where documents begin and end among the units, their line end included.
    - `places_L`: where among the units the letters and digits stand.
    - `bounds_D1`: (D + 1,) every document's first letter, and the end of the last one's.
    - `line_starts_N`, `line_ends_N`: the first unit of every line, and that of its line end.
    - `line_documents_N`, `line_hashes_N`: every line's document, and the hash of its letters.
    """

    def __init__(self, texts: list[str]) -> None:
        encoded = [(text + "\n").encode("utf-16-le") for text in texts]
        self.units_U = np.frombuffer(b"".join(encoded), dtype="<u2")
        self.ends_D = np.cumsum([len(each) // 2 for each in encoded], dtype=np.int64)
        self.starts_D = np.concatenate([[0], self.ends_D[:-1]]).astype(np.int64)

        self.kinds_U = KINDS[self.units_U]
        self.places_L = np.flatnonzero(self.kinds_U >= DIGIT)
        first_letters_D = np.searchsorted(self.places_L, self.starts_D)
        self.bounds_D1 = np.append(first_letters_D, len(self.places_L))

        self.line_ends_N = np.flatnonzero(self.units_U == ord("\n"))
        self.line_starts_N = np.concatenate([[0], self.line_ends_N[:-1] + 1])
        self.line_documents_N = np.searchsorted(self.ends_D, self.line_starts_N, side="right")

        codes_L = CODES[LOWER[self.units_U[self.places_L]]]
        # Nearly always the same number, so that the powers needn't be made anew.
        self._num_powers = max(len(codes_L) + 1, NUM_POWERS)
        terms_L = codes_L * _powers(BASE, self._num_powers)[: len(codes_L)]
        self._prefix_sums = np.cumsum(np.append(np.uint64(0), terms_L))
        self.line_hashes_N = self.hash_spans(
            np.searchsorted(self.places_L, self.line_starts_N),
            np.searchsorted(self.places_L, self.line_ends_N),
        )

    def hash_spans(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Hash spans of letters, given as their places among the letters; 0 for an empty one."""
        sums = self._prefix_sums[ends] - self._prefix_sums[starts]
        hashes = sums * _powers(INVERSE, self._num_powers)[starts]
        hashes ^= hashes >> np.uint64(32)
        hashes *= MIXER
        return hashes ^ (hashes >> np.uint64(32))

    def hash_documents(self) -> np.ndarray:
        """Hash the letters of every document, as (D,); 0 for one without any."""
        return self.hash_spans(self.bounds_D1[:-1], self.bounds_D1[1:])

    def count(self, mask_U: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Count the units of each span that are in the mask."""
        sums = np.concatenate([[0], np.cumsum(mask_U, dtype=np.int32)])
        return sums[ends] - sums[starts]

    @cached_property
    def line_copies_N(self) -> np.ndarray:  # noqa: N802 (an array's name ends in its axes)
        """For every line, how many lines before it in its document have the same letters; 0 for a
        line without any."""
        hashes = self.line_hashes_N
        documents = self.line_documents_N
        order = np.lexsort((hashes, documents))  # stable: equal lines stay in their order
        new_hash = np.diff(hashes[order], prepend=np.uint64(0)) != 0
        new_document = np.diff(documents[order], prepend=-1) != 0
        places = np.arange(len(order))
        first_places = np.maximum.accumulate(np.where(new_hash | new_document, places, 0))
        copies = np.empty(len(order), dtype=np.int64)
        copies[order] = places - first_places
        return np.where(hashes == 0, 0, copies)


@lru_cache(maxsize=2)  # of BASE and of its inverse
def _powers(base: int, length: int) -> np.ndarray:
    """base^0, base^1, ... modulo 2^64."""
    powers = np.full(length, base, dtype=np.uint64)
    powers[0] = 1
    return np.cumprod(powers)


def letter_hashes(texts: Texts, raw: list[str]) -> np.ndarray:
    """Hash the letters and digits of documents alone, as (D,): 정말 재밌다!! equals 정말재밌다.

    A text without any counts as it is.
    """
    hashes_D = texts.hash_documents()
    for number in np.flatnonzero(hashes_D == 0):
        hashes_D[number] = xxhash.xxh3_64_intdigest(raw[number].encode()) | 1
    return hashes_D
