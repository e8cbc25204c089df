"""What a tokenizer does to documents, counted: tokens, unlikeness, losses, morpheme boundaries, and
the figures that follow from the counts."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from tokenizer.morphemes import is_inside_word
from tokenizer.quality.encoders import Encoder
from tokenizer.quality.gate import find_problem

FindMorphemes = Callable[[str], list[int] | None]
"""A line -> where morphemes begin inside its eojeols, or None if that can't be found out."""


class Survey(NamedTuple):
    """What was found in some documents."""

    counts: Counter[str]
    problems: list[str]  # what is wrong, and where
    uses: np.ndarray  # (V,): how often each id was used


def survey(
    encoders: list[Encoder], documents: Iterable[str], find_morphemes: FindMorphemes
) -> Survey:
    """Encode every document with all encoders and count; the counts are the first one's.

    A line whose morphemes can't be found counts no boundaries.
    """
    first = encoders[0]
    counts: Counter[str] = Counter()
    problems: list[str] = []
    uses_V = np.zeros(len(first.pieces), dtype=np.int64)
    for text in documents:
        located = first.locate(text)
        counts["documents"] += 1
        counts["bytes"] += len(text.encode())
        counts["characters"] += len(text)
        counts["eojeols"] += len(text.split())
        counts["tokens"] += len(located.ids)
        if first.unknown is not None:
            counts["unknown_tokens"] += located.ids.count(first.unknown)
        counts += count_boundaries(text, set(located.starts), find_morphemes)
        uses_V += np.bincount(located.ids, minlength=len(uses_V))
        problem = find_problem(text, encoders)
        if problem is not None:
            problems.append(f"{text[:40]!r}, {problem}")
    return Survey(counts, problems, uses_V)


def count_boundaries(text: str, starts: set[int], find_morphemes: FindMorphemes) -> Counter[str]:
    """Count where tokens and morphemes begin inside eojeols, and where both do; `starts` are the
    characters that tokens begin in."""
    counts: Counter[str] = Counter()
    line_start = 0
    for line in text.split("\n"):
        morphemes = find_morphemes(line)
        if morphemes is not None:
            tokens = {
                at
                for at in range(1, len(line))
                if line_start + at in starts and is_inside_word(line, at)
            }
            counts["token_boundaries"] += len(tokens)
            counts["morpheme_boundaries"] += len(set(morphemes))
            counts["shared_boundaries"] += len(tokens.intersection(morphemes))
        line_start += len(line) + 1
    return counts


def summarise(surveys: list[Survey]) -> dict[str, Any]:
    """The figures of several surveys together: sums over documents, and ratios of them.

    An eojeol is text between white space, a byte one of UTF-8; boundaries are those inside eojeols.
    """
    counts = sum((each.counts for each in surveys), Counter())
    problems = [problem for each in surveys for problem in each.problems]

    def ratio(part: str, whole: str) -> float:
        return round(counts[part] / max(counts[whole], 1), 5)

    return {
        "documents": counts["documents"],
        "bytes": counts["bytes"],
        "characters": counts["characters"],
        "eojeols": counts["eojeols"],
        "tokens": counts["tokens"],
        "unknown_tokens": counts["unknown_tokens"],
        "problems": len(problems),
        "first_problem": problems[0] if problems else "",
        "token_boundaries": counts["token_boundaries"],
        "morpheme_boundaries": counts["morpheme_boundaries"],
        "shared_boundaries": counts["shared_boundaries"],
        "tokens_per_eojeol": ratio("tokens", "eojeols"),
        "tokens_per_character": ratio("tokens", "characters"),
        "tokens_per_byte": ratio("tokens", "bytes"),
        "boundary_precision": ratio("shared_boundaries", "token_boundaries"),
        "boundary_recall": ratio("shared_boundaries", "morpheme_boundaries"),
    }
