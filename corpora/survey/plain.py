"""What a document of a plain text is: the file, a line, or a block between blank lines."""

import re
from dataclasses import dataclass
from typing import Final

SENTENCE_END: Final = re.compile(r"[.?!…~)\]\"'”’」』ㅋㅎㅠ다요음함]\s*$")
MANY_LINES: Final = 50
SHORT: Final = 60  # characters of a line that is a document even if there are many files
LONG: Final = 200  # and if there are few
FEW_FILES: Final = 5
FEW_BLANKS: Final = 0.02  # of the lines
MANY_BLOCKS: Final = 20
LINES_A_BLOCK: Final = 2.5  # above which blocks are documents, not paragraphs


@dataclass
class Lines:
    """Figures of the lines of one or several texts, as far as they were looked at."""

    texts: int = 0
    lines: int = 0  # that aren't blank
    blanks: int = 0
    blocks: int = 0
    characters: int = 0
    ended: int = 0  # lines that end like a sentence

    def add(self, other: "Lines") -> None:
        """Add another text's figures."""
        self.texts += other.texts
        self.lines += other.lines
        self.blanks += other.blanks
        self.blocks += other.blocks
        self.characters += other.characters
        self.ended += other.ended


def count_lines(text: str) -> Lines:
    """Return a text's figures."""
    found = Lines(texts=1)
    in_block = False
    for line in text.split("\n"):
        is_blank = not line.strip()
        found.blanks += is_blank
        if is_blank:
            in_block = False
            continue
        found.blocks += not in_block
        in_block = True
        found.lines += 1
        found.characters += len(line)
        found.ended += bool(SENTENCE_END.search(line))
    return found


def guess_unit(found: Lines) -> tuple[str, str]:
    """Return the unit, and what speaks for it."""
    length = found.characters / max(1, found.lines)
    seen = f"{found.lines / found.texts:,.0f} lines of {length:.0f} characters a file"
    per_block = found.lines / max(1, found.blocks)
    num_lines = found.lines / found.texts
    blank_share = found.blanks / max(1, found.lines + found.blanks)
    are_sentences = found.ended >= 0.5 * found.lines
    are_documents = length <= (LONG if found.texts <= FEW_FILES else SHORT)
    if num_lines >= MANY_LINES and are_documents and blank_share <= FEW_BLANKS and are_sentences:
        return "line", f"{seen}, no blank lines between them"
    if found.blocks / found.texts >= MANY_BLOCKS and per_block >= LINES_A_BLOCK and are_sentences:
        return "block", f"{seen}, {per_block:.1f} lines between two blank ones"
    return "file", seen
