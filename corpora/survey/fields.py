"""Which of a row's columns, or of an object's paths, holds the text, and which a title."""

import re
from typing import Final

Samples = dict[str, list[str]]
"""Column or path -> some of the texts in it, in the order of the file."""

TEXT_NAMES: Final = ("text", "document", "content", "contents", "body", "form", "본문", "내용")
"""Names that decide between columns of about as much text."""
TITLE_NAMES: Final = ("title", "headline", "subject", "제목")
HANGUL: Final = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣᄀ-ᇿ]")
LETTER: Final = re.compile(r"[^\W\d_]")
NUMBER: Final = re.compile(r"\s*[-+]?[\d.,]+\s*")
LONGEST_HEADING: Final = 40  # characters of a column's name
ALIKE: Final = 0.8  # of the most text


def guess_text(samples: Samples) -> str:
    """Return the column with the most Hangul, or the most letters if none has any; "" if there's no
    text."""
    for kind in (HANGUL, LETTER):
        counts = {
            name: sum(len(kind.findall(text)) for text in texts) for name, texts in samples.items()
        }
        if most := max(counts.values(), default=0):
            candidates = [name for name, count in counts.items() if count >= ALIKE * most]
            return min(candidates, key=_rank)
    return ""


def guess_title(samples: Samples, text: str) -> str:
    """Return the column with a title's name that stands beside the text, or ""."""
    head, brackets, _ = text.partition("[]")
    prefix = f"{head}[]." if brackets else ""
    for name in samples:
        is_beside = name.startswith(prefix) and "[]" not in name.removeprefix(prefix)
        if is_beside and name != text and _last(name) in TITLE_NAMES:
            return name
    return ""


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first of these rows, of at least two, names columns: each name is there once,
    short, no number, and no cell under it."""
    first, *others = rows
    are_names = [
        cell.strip() and len(cell) <= LONGEST_HEADING and not NUMBER.fullmatch(cell)
        for cell in first
    ]
    is_repeated = any(cell in column for cell, column in zip(first, zip(*others)))
    return all(are_names) and not is_repeated and len(set(first)) == len(first)


def _rank(name: str) -> int:
    last = _last(name)
    return TEXT_NAMES.index(last) if last in TEXT_NAMES else len(TEXT_NAMES)


def _last(name: str) -> str:
    return name.rpartition(".")[2].removesuffix("[]").lower()
