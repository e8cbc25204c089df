"""What every text gets: damaged encodings repaired, what isn't seen dropped, NFC.

`clean` is the whole cleaning of one document. The clean-ups that its source names are in
cleanups.py; what is dropped afterwards in filters.py."""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

import ftfy

from corpora.cleaning.leftovers import replace_fillers, replace_private_use
from corpora.duplicates.texts import HANGUL, KINDS

SPACE_MARK: Final = "\u2581"
"""SentencePiece writes a space as this, so a text that holds it can't come back the same."""

# ftfy mends what is damaged and nothing else: curly quotes, wide letters, ligatures, entities and
# line ends are the text's own.
FTFY: Final = ftfy.TextFixerConfig(
    uncurl_quotes=False,
    fix_character_width=False,
    fix_latin_ligatures=False,
    unescape_html=False,
    fix_line_breaks=False,
    normalization=None,
)

# What continuation bytes of UTF-8 become in Windows-1252, apart from what they are in Latin-1.
_CONTINUATION: Final = (
    r"\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122"
)
DAMAGED_UTF8: Final = re.compile(
    rf"[\u00e1-\u00ef][\u0080-\u00bf{_CONTINUATION}]{{2}}|[\u00c2\u00c3][\u0080-\u00bf]"
)
"""UTF-8 read as Latin-1 or Windows-1252: a lead byte of three bytes or of two, and what follows."""
DAMAGED_CP949: Final = re.compile(r"[\u00b0-\u00c8][\u00a1-\u00fe]")
"""A Hangul syllable in CP949 read as Latin-1."""
SUSPECT: Final = re.compile(rf"[\u00b0-\u00c8\u00e1-\u00ef][\u0080-\u00fe{_CONTINUATION}]")
"""Either damage, in one scan."""

CONTROL: Final = re.compile(
    r"[\0-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffc\ufdd0-\ufdef\ufffe\uffff]"
    r"|(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0000-\U000e007f]+"
)
"""Control characters except tab and newline, soft hyphens, noncharacters, what stands for an
object, and marks that aren't seen: zero-width spaces, directions, byte-order marks, tags that
aren't a flag's. Zero-width joiners stay: emoji are made with them."""
UNSEEN: Final = re.compile(
    r"[^\t\n -~\u00a0-\u00ac\u00ae-\u115e\u1161-\u200a\u200c\u200d\u2010-\u2027\u202f-\u205f"
    r"\u2070-\u3163\u3165-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00-\uff9f\uffa1-\ufff8\ufffd"
    r"\U00010000-\U000dffff]"
)
"""A character of CONTROL, a filler, one of private use, or any of planes 14 to 16. It lists all
other characters, which `re` passes over a third faster than it searches for these."""
LINE_END: Final = re.compile(r"\r\n|[\u000b\u000c\u0085\u2028\u2029]")
"""Line ends other than the newline. A bare \\r is none: it becomes a space."""


class Repairs(NamedTuple):
    """What was done to a text besides its clean-ups."""

    lines: int = 0
    """Whose encoding was damaged."""
    space_marks: int = 0
    """U+2581, replaced."""
    private_use: int = 0
    """Characters of the private-use areas, replaced or dropped."""
    fillers: int = 0
    """Hangul fillers that stood for no letter."""


NO_REPAIRS: Final = Repairs()
"""Of nearly all texts: one for all of them costs least."""


def clean(text: str, title: str, steps: list[Callable[[str], str]]) -> tuple[str, Repairs]:
    """Normalise a document and run its source's clean-ups in their order.

    Args:
        text: the document as its source has it.
        title: put before a text that doesn't already start with it.
        steps: the clean-ups, from `load_cleanups`.

    Returns what `normalise` does.
    """
    if not text.startswith(title):
        text = f"{title}\n\n{text}"
    text, repairs = normalise(text)
    may_hold_entities = "&" in text  # one can stand for anything: &#9601; is U+2581
    for step in steps:
        text = step(text)
    if may_hold_entities or not unicodedata.is_normalized("NFC", text):
        text, more = compose(text)
        repairs = Repairs(*map(sum, zip(repairs, more)))
    return text.strip(), repairs


def normalise(text: str) -> tuple[str, Repairs]:
    """Repair damaged encodings, drop what isn't seen, compose, and replace U+2581.

    The form is NFC only: NFKC makes other letters of ㅋ and ㆍ. Returns the text and what was done.
    """
    num_repaired = 0
    if SUSPECT.search(text):
        lines = text.split("\n")
        repaired = [_repair(line) for line in lines]
        num_repaired = sum(before != after for before, after in zip(lines, repaired))
        text = "\n".join(repaired)
    text, repairs = compose(text)
    return text, repairs._replace(lines=num_repaired) if num_repaired else repairs


def compose(text: str) -> tuple[str, Repairs]:
    """Return the text without what isn't seen, in NFC and without U+2581, and what was replaced."""
    repairs = NO_REPAIRS
    if UNSEEN.search(text):
        text = LINE_END.sub("\n", text).replace("\r", " ")
        text = CONTROL.sub("", text)
        text, num_private = replace_private_use(text)
        text, num_fillers = replace_fillers(text)
        repairs = Repairs(private_use=num_private, fillers=num_fillers)
    text = unicodedata.normalize("NFC", text)
    if SPACE_MARK in text:
        repairs = repairs._replace(space_marks=text.count(SPACE_MARK))
        text = text.replace(SPACE_MARK, "_")
    return text, repairs


def _repair(line: str) -> str:
    if DAMAGED_CP949.search(line):  # before ftfy, which makes it worse
        with suppress(UnicodeError):
            decoded = line.encode("latin-1").decode("cp949")
            hangul = [character for character in decoded if KINDS[ord(character)] == HANGUL]
            num_foreign = sum(not character.isascii() for character in decoded)
            # `····` is valid CP949, too.
            if len(set(hangul)) > 1 and len(hangul) * 2 >= num_foreign:
                return decoded
    return ftfy.fix_text(line, FTFY) if DAMAGED_UTF8.search(line) else line
