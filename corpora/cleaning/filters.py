"""The limits of a source: which lines are taken out of a document, and which documents are dropped,
each with its reason. limits.py says which limits there are; a source's stand in its recipe.

Axes: D documents, N lines."""

import re
import zlib

import numpy as np

from corpora.cleaning.limits import Limits
from corpora.duplicates.texts import HANGUL, LETTER, SPACE, SYMBOL, Texts

MIN_COMPRESSED = 100
"""Characters below which zlib's header weighs too much for its result to say anything."""
PART_MARGIN = 256
"""Bytes by which zlib's result for the beginning of a text may exceed that for all of it: the
tables of the last block, and matches that the end cuts off."""


def drop_lines(
    texts: Texts, raw: list[str], limits: Limits
) -> tuple[list[str], list[tuple[int, str, str]]]:
    """Take the lines out of documents that break one of their source's `line_` limits.

    `texts` are the documents of `raw` as arrays. Returns the documents without those lines, and
    (document, line, reason) of every one of them.
    """
    reasons_N = _line_reasons(texts, limits)
    documents_N = texts.line_documents_N
    kept = list(raw)
    dropped: list[tuple[int, str, str]] = []
    for document in np.unique(documents_N[reasons_N != ""]).tolist():
        start, end = np.searchsorted(documents_N, [document, document + 1])
        lines = list(zip(raw[document].split("\n"), reasons_N[start:end].tolist()))
        dropped += [(document, line, reason) for line, reason in lines if reason]
        shorter = "\n".join(line for line, reason in lines if not reason)
        kept[document] = re.sub("\n{3,}", "\n\n", shorter).strip()
    return kept, dropped


def _line_reasons(texts: Texts, limits: Limits) -> np.ndarray:
    """(N,) why each line is dropped, or an empty string."""
    starts_N = texts.line_starts_N
    ends_N = texts.line_ends_N
    sizes_N = ends_N - starts_N
    hangul_N = texts.count(texts.kinds_U >= HANGUL, starts_N, ends_N)
    letters_N = texts.count(texts.kinds_U >= LETTER, starts_N, ends_N)
    symbols_N = texts.count(texts.kinds_U == SYMBOL, starts_N, ends_N)
    not_blank_N = texts.count(texts.kinds_U != SPACE, starts_N, ends_N)
    too_little_N = _too_little_hangul(hangul_N, letters_N, limits.line_min_hangul)
    broken = {
        "": not_blank_N == 0,  # a blank line stays
        "line too short": sizes_N < limits.line_min_chars,
        "line too long": sizes_N > limits.line_max_chars,
        "line with too little Hangul": too_little_N,
        "line of symbols": symbols_N > limits.line_max_symbols * sizes_N,
        "line repeated": texts.line_copies_N >= limits.line_max_copies,
    }
    return np.select(list(broken.values()), list(broken), "")  # the first reason of each line


def drop_reasons(texts: Texts, raw: list[str], limits: Limits) -> list[str]:
    """Say which of its source's limits each cleaned document breaks first, or an empty string.

    `texts` are the documents of `raw` as arrays.
    """
    starts_D = texts.starts_D
    ends_D = texts.ends_D - 1  # without the line end that Texts adds
    sizes_D = ends_D - starts_D
    hangul_D = texts.count(texts.kinds_U >= HANGUL, starts_D, ends_D)
    letters_D = texts.count(texts.kinds_U >= LETTER, starts_D, ends_D)
    symbols_D = texts.count(texts.kinds_U == SYMBOL, starts_D, ends_D)

    line_sizes_N = texts.line_ends_N - texts.line_starts_N
    first_lines_D = np.searchsorted(texts.line_starts_N, starts_D)
    repeated_D = np.add.reduceat(line_sizes_N * (texts.line_copies_N > 0), first_lines_D)
    in_lines_D = np.add.reduceat(line_sizes_N, first_lines_D)

    broken = {
        "empty": sizes_D == 0,
        "too short": sizes_D < limits.min_chars,
        "too little Hangul": _too_little_hangul(hangul_D, letters_D, limits.min_hangul),
        "too many symbols": symbols_D > limits.max_symbols * sizes_D,
        "repeated lines": repeated_D > limits.max_repeated_lines * in_lines_D,
    }
    reasons = np.select(list(broken.values()), list(broken), "").tolist()
    for document, text in enumerate(raw):
        if not reasons[document] and is_repetitive(text, limits.max_repetition):
            reasons[document] = "repetitive"
    return reasons


def _too_little_hangul(hangul: np.ndarray, letters: np.ndarray, min_share: float) -> np.ndarray:
    """Whether less than `min_share` of the letters are Hangul; of no letters at all it is less."""
    return hangul < np.maximum(min_share * letters, min_share > 0)


def is_repetitive(text: str, max_repetition: float) -> bool:
    """Whether zlib saves a greater share of a text's bytes than `max_repetition`.

    A part's compressed form is hardly longer than that of the whole, so the first third clears most
    texts.
    """
    raw = text.encode()
    start = zlib.compress(raw[: len(raw) // 3], 1)
    if len(start) - PART_MARGIN > (1 - max_repetition) * len(raw):
        return False
    return repetition_share(text) > max_repetition


def repetition_share(text: str) -> float:
    """Return the share of the UTF-8 bytes that zlib's fastest level saves: it sees repeats of any
    length, spaced or not. A text of fewer than MIN_COMPRESSED characters has none."""
    if len(text) < MIN_COMPRESSED:
        return 0
    raw = text.encode()
    return 1 - len(zlib.compress(raw, 1)) / len(raw)
