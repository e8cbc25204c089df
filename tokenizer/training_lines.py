"""Documents -> the file of lines that SentencePiece is trained on, with morpheme boundaries marked.
Which documents they are is decided in sample.py."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TypedDict

from corpora.errors import require
from tokenizer.analyser_processes import mark_chunks
from tokenizer.analysers import ANALYSERS
from tokenizer.morphemes import DELIMITER, MarkedLines

MAX_LINE: Final = 4096
"""Characters: BPE training holds word positions in 16 bits, and analysers are slow on long
lines."""

LINE_PART: Final = re.compile(
    rf"(?s).{{1,{MAX_LINE}}}+\Z|.{{1,{MAX_LINE - 1}}}(?= )|.{{{MAX_LINE}}}"
)
"""Of a line: all that is left, if that's short enough; else up to the last space in reach; else as
much as fits."""

LINE_ENDS: Final = ("\t", "\0", "\u2585", DELIMITER)
"""What ends a line as a newline does: no piece shall cross a tab or NUL, and U+2585 and the
delimiter mean something to the trainer."""

MAX_UNMARKED: Final = 0.05
"""Share of lines that an analyser may fail on."""


class TrainedOn(TypedDict):
    """What a tokenizer was trained on."""

    documents: int
    bytes: int
    lines: int
    lines_unmarked: int


def write_lines(documents: list[str], path: Path, analyser: str, workers: int) -> TrainedOn:
    """Write the file that `train_model` reads, with DELIMITER where a morpheme begins in a word.

    `analyser` is none, mecab or okt, at work in `workers` processes, whose number changes no byte.
    A line on which it fails, dies or hangs stays unmarked. Raises UserError for documents without
    Hangul, and for an analyser that isn't there or fails on too many lines.
    """
    check_hangul(documents)
    num_lines = 0
    num_unmarked = 0
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for marked in mark_morphemes(cut_into_lines(documents), analyser, workers):
            file.writelines(f"{line}\n" for line in marked.lines)
            num_lines += len(marked.lines)
            num_unmarked += marked.num_unmarked
    require(
        num_unmarked <= MAX_UNMARKED * num_lines,
        f"morphemes={analyser}: the analyser failed on {num_unmarked:,} of {num_lines:,} lines, so "
        "its boundaries would be missing. Mend its installation, or set morphemes=none.",
    )
    return {
        "documents": len(documents),
        "bytes": sum(len(text.encode()) for text in documents),
        "lines": num_lines,
        "lines_unmarked": num_unmarked,
    }


def check_hangul(documents: list[str]) -> None:
    """Raise UserError unless one of the documents holds a Hangul syllable."""
    example = f", such as {documents[0][:80]!r}" if documents else ""
    require(
        any(re.search("[가-힣]", text) for text in documents),
        "The tokenizer's sample holds no Hangul: is the corpus Korean, and was its encoding read "
        f"right? It has {len(documents):,} documents{example}.",
    )


def cut_into_lines(documents: Iterable[str]) -> Iterator[str]:
    """Cut documents into lines of at most MAX_LINE characters, long ones at a space if there is
    one."""
    for text in documents:
        for line in _end_lines_at_marks(text).split("\n"):
            yield from LINE_PART.findall(line)


def _end_lines_at_marks(text: str) -> str:
    for mark in LINE_ENDS:
        text = text.replace(mark, "\n")
    return text


def mark_morphemes(lines: Iterable[str], analyser: str, workers: int) -> Iterator[MarkedLines]:
    """Yield all lines in order, some at a time, with DELIMITER where a morpheme begins in a word.

    Raises UserError if the analyser can't be opened.
    """
    opener = ANALYSERS[analyser]
    if opener is None:
        for line in lines:
            yield MarkedLines([line], num_unmarked=0)
    else:
        yield from mark_chunks(lines, opener, workers)
