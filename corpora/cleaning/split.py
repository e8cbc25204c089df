"""Long texts cut into pieces, at articles, paragraphs or lines."""

import re
from itertools import pairwise
from typing import Final

# Where the pieces of a long text begin: at an article with the headings above it, a paragraph, a
# line.
PIECE_STARTS: Final = {
    "article": re.compile(r"(?m)^(?:[ \t]*(?:제\d+[편장절관]|부칙)[^\n]*\n\s*)*[ \t]*제\d+조"),
    "paragraph": re.compile(r"(?<=\n\n)(?=[^\n])"),
    "line": re.compile(r"(?<=\n)"),
}
FINER: Final = {"article": "paragraph", "paragraph": "line", "line": "none"}
"""How pieces that are still too long are cut."""


def split_text(text: str, split: str, size: int) -> list[str]:
    """Cut a text longer than `size` bytes into pieces of at most that, unless one line is longer.

    Cuts fall before articles if `split` is "article", else after blank lines, else after lines;
    "none" cuts nothing. Joined, the pieces are the text.
    """
    if split == "none" or len(text.encode()) <= size:
        return [text]
    cuts = [match.start() for match in PIECE_STARTS[split].finditer(text)]
    pieces: list[str] = []
    room = 0  # bytes that the last piece may still take
    for start, end in pairwise([0, *cuts, len(text)]):
        unit = text[start:end]
        if not unit:
            continue
        num_bytes = len(unit.encode())
        if num_bytes <= room:
            pieces[-1] += unit
            room -= num_bytes
        else:
            pieces += split_text(unit, FINER[split], size)
            room = size - num_bytes  # none after a unit that was cut
    return pieces
