"""Documents -> the file of lines that SentencePiece is trained on, with morpheme boundaries marked.
Which documents they are is decided in sample.py."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

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

LINE_END: Final = re.compile(f"[\n\t\0\u2585{DELIMITER}]")
"""No piece shall cross a newline, a tab or NUL; U+2585 and the delimiter mean something to the
trainer."""

MAX_UNMARKED: Final = 0.05
"""Share of lines that an analyser may fail on."""


def write_lines(documents: list[str], path: Path, analyser: str, workers: int) -> dict[str, int]:
    """Write the file that `train_model` reads, with DELIMITER where a morpheme begins in a word.

    `analyser` is none, mecab or okt, at work in `workers` processes, whose number changes no byte.
    A line on which it fails, dies or hangs stays unmarked. Raises UserError for documents without
    Hangul, and for an analyser that isn't there or fails on too many lines.

    Returns how many documents, bytes, lines and unmarked lines they are.
    """
    _check_hangul(documents)
    all_lines = cut_into_lines(documents)
    opener = ANALYSERS[analyser]
    if opener is None:
        chunks = (MarkedLines([line], num_unmarked=0) for line in all_lines)
    else:
        chunks = mark_chunks(all_lines, opener, workers)
    num_lines = 0
    num_unmarked = 0
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for marked in chunks:
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


def _check_hangul(documents: list[str]) -> None:
    example = f", such as {documents[0][:80]!r}" if documents else ""
    require(
        any(re.search("[가-힣]", text) for text in documents),
        "The tokenizer's sample holds no Hangul: is the corpus Korean, and was its encoding read "
        f"right? It has {len(documents):,} documents{example}.",
    )


def cut_into_lines(documents: Iterable[str]) -> Iterator[str]:
    """Yield lines of at most MAX_LINE characters, cut at a space if there is one."""
    for text in documents:
        for line in LINE_END.split(text):
            yield from LINE_PART.findall(line)
