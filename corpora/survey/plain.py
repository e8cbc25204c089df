"""What a document of a plain text is: the file, a line, or a block between blank lines."""

import re
from typing import Final, NamedTuple

SENTENCE_END: Final = re.compile(r"[.?!…~)\]\"'”’」』ㅋㅎㅠ다요음함]\s*$")
BLANK_LINES: Final = re.compile(r"\n\s*\n")
MANY_LINES: Final = 50
SHORT: Final = 60  # characters of a line that is a document even if there are many files
LONG: Final = 200  # and if there are few
FEW_FILES: Final = 5
FEW_BLANKS: Final = 0.02  # of the lines
MANY_BLOCKS: Final = 20
LINES_A_BLOCK: Final = 2.5  # above which blocks are documents, not paragraphs


class Lines(NamedTuple):
    """Figures of a text's lines, as far as they were looked at."""

    lines: int  # that aren't blank
    blanks: int
    blocks: int
    characters: int
    ended: int  # lines that end like a sentence


def count_lines(text: str) -> Lines:
    """Return a text's figures."""
    lines = text.split("\n")
    filled = [line for line in lines if line.strip()]
    return Lines(
        lines=len(filled),
        blanks=len(lines) - len(filled),
        blocks=len(BLANK_LINES.split(text.strip())),
        characters=sum(map(len, filled)),
        ended=sum(bool(SENTENCE_END.search(line)) for line in filled),
    )


def guess_unit(texts: list[Lines]) -> tuple[str, str]:
    """Return the unit of these texts, and what speaks for it."""
    found = Lines(*map(sum, zip(*texts)))
    num_lines = found.lines / len(texts)
    length = found.characters / max(1, found.lines)
    seen = f"{num_lines:,.0f} lines of {length:.0f} characters a file"
    per_block = found.lines / max(1, found.blocks)
    blank_share = found.blanks / max(1, found.lines + found.blanks)
    are_sentences = found.ended >= 0.5 * found.lines
    are_documents = length <= (LONG if len(texts) <= FEW_FILES else SHORT)
    if num_lines >= MANY_LINES and are_documents and blank_share <= FEW_BLANKS and are_sentences:
        return "line", f"{seen}, no blank lines between them"
    if found.blocks / len(texts) >= MANY_BLOCKS and per_block >= LINES_A_BLOCK and are_sentences:
        return "block", f"{seen}, {per_block:.1f} lines between two blank ones"
    return "file", seen
