"""Which of a row's columns, or of an object's paths, holds the text, and which a title."""

import re
from collections.abc import Iterable
from typing import Final

Samples = dict[str, list[str]]
"""Column or path -> some of the texts in it, in the order of the file."""

TEXT_NAMES: Final = ("text", "document", "content", "contents", "body", "form", "본문", "내용")
"""Names that decide between columns of about as much text."""
TITLE_NAMES: Final = ("title", "headline", "subject", "제목")
ID_NAMES: Final = ("id", "guid", "doc_id", "document_id", "_id", "url")
HANGUL: Final = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣᄀ-ᇿ]")
NUMBER: Final = re.compile(r"\s*[-+]?[\d.,]+\s*")
ALIKE: Final = 0.8  # of the most text


def guess_text(samples: Samples) -> str:
    """Return the column with the most Hangul, or the most letters if none has any; "" if there's no
    text."""
    counts = {name: _count_hangul(texts) for name, texts in samples.items()}
    if not any(counts.values()):
        counts = {name: _count_letters(texts) for name, texts in samples.items()}
    most = max(counts.values(), default=0)
    if not most:
        return ""
    candidates = [name for name, count in counts.items() if count >= ALIKE * most]
    return min(candidates, key=_rank)


def guess_name(samples: Samples, names: tuple[str, ...], text: str) -> str:
    """Return the column that goes by one of these names beside the text, or ""."""
    head, brackets, _ = text.partition("[]")
    prefix = f"{head}[]." if brackets else ""
    for name in samples:
        is_beside = name.startswith(prefix) and "[]" not in name.removeprefix(prefix)
        if is_beside and name != text and _last(name) in names:
            return name
    return ""


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first of these rows, of at least two, names columns: it holds no number, nothing
    long, and nothing that comes again."""
    first, *others = rows
    if len(set(first)) < len(first) or any(
        NUMBER.fullmatch(cell) or len(cell) > 40 for cell in first
    ):
        return False
    if any(not cell.strip() for cell in first):
        return False
    return not any(cell in column for cell, column in zip(first, zip(*others)))


def mean_length(texts: Iterable[str]) -> float:
    """Characters of a text, on average."""
    lengths = [len(text) for text in texts]
    return sum(lengths) / max(1, len(lengths))


def _count_hangul(texts: list[str]) -> int:
    return sum(len(HANGUL.findall(text)) for text in texts)


def _count_letters(texts: list[str]) -> int:
    return sum(character.isalpha() for text in texts for character in text)


def _rank(name: str) -> int:
    last = _last(name)
    return TEXT_NAMES.index(last) if last in TEXT_NAMES else len(TEXT_NAMES)


def _last(name: str) -> str:
    return name.rpartition(".")[2].removesuffix("[]").lower()
