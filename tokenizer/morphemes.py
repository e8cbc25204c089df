"""Where morphemes begin inside the words of a line, and how that is marked for SentencePiece's
trainer. The text never changes: without the delimiters every line is what it was."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final, NamedTuple

DELIMITER: Final = "\ufdd0"
"""What SentencePiece's trainer doesn't merge across. It is a noncharacter: Unicode keeps it for
internal use, so no text holds it."""

Analyser = Callable[[str], list[str]]
"""A line -> the surfaces of its morphemes, in order."""


class MarkedLines(NamedTuple):
    """Lines with DELIMITER where a morpheme begins inside a word."""

    lines: list[str]
    num_unmarked: int  # of them, those on which the analyser failed


def mark_lines(lines: list[str], analyse: Analyser) -> MarkedLines:
    """Mark the lines; those on which the analyser fails stay as they are."""
    marked = []
    num_unmarked = 0
    for line in lines:
        starts = analyse_line(line, analyse)
        if starts is None:
            num_unmarked += 1
            starts = []
        edges = pairwise([0, *starts, len(line)])
        marked.append(DELIMITER.join(line[start:end] for start, end in edges))
    return MarkedLines(marked, num_unmarked)


def analyse_line(line: str, analyse: Analyser) -> list[int] | None:
    """Where morphemes begin inside a word, as indices of characters; None if the analyser fails or
    changes the line."""
    readable = line.replace("\0", " ")  # MeCab stops reading at NUL
    try:
        return find_starts(readable, analyse(readable))
    # Whatever an analyser (or its Java) raises at one line mustn't cost the others.
    except Exception:
        return None


def find_starts(line: str, morphemes: list[str]) -> list[int] | None:
    """Where morphemes begin inside a word, as indices of characters; None if they don't spell the
    line."""
    starts = []
    end = 0
    for morpheme in morphemes:
        start = line.find(morpheme, end)
        if start < 0 or line[end:start].strip():
            return None
        if start == end and is_inside_word(line, start):
            starts.append(start)
        end = start + len(morpheme)
    return None if line[end:].strip() else starts


def is_inside_word(line: str, index: int) -> bool:
    """Whether neither this character nor the one before it is white space.

    Beside white space SentencePiece cuts by itself, and the space stays with the piece after it.
    """
    return index > 0 and not line[index - 1].isspace() and not line[index].isspace()
