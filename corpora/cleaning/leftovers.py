"""What word processors leave in Korean text: signs and letters of their own fonts, which stand in
Unicode's private-use areas, and Hangul fillers, which aren't seen."""

import re
import unicodedata
from typing import Final

MISSING: Final = "□"
"""How Korean print shows a letter that can't be read."""

_SIGNS: Final = {
    # Symbol and Wingdings, whose bytes Word and HWP write from U+F000 on
    **dict.fromkeys("\uf06c\uf06e\uf075\uf076\uf09f\uf0a7\uf0b7\uf0d8", "•"),
    **dict.fromkeys("\uf09e\uf0a0", "·"),
    **dict.fromkeys("\uf0dc\uf0e0\uf0e8\uf0f0", "→"),
    **dict.fromkeys("\uf06f\uf071\uf0a8", "□"),
    "\uf0fb": "✗",
    "\uf0fc": "✓",
    "\uf0fe": "☑",
    # HWP's own, as they were seen in press releases, book reviews and Wikipedia
    **{chr(0xF02B1 + number): chr(ord("①") + number) for number in range(9)},
    **dict.fromkeys("\U000f03da\U000f0848", "•"),
    "\U000f0850": "‘",
    "\U000f0851": "’",
    "\U000f0852": "“",
    "\U000f0853": "”",
    "\U000f0854": "『",
    "\U000f0855": "』",
}
# Hanyang's old Hangul, between which the two fonts above lie; tables that turn it into jamo are
# under licences that don't fit this project's.
_IS_LETTER: Final = re.compile("[\ue0bc-\uefff\uf100-\uf8f7]")

# KS X 1001 spells a syllable that it lacks as filler, initial, medial, final or another filler.
_SPELT: Final = re.compile("\u3164([ㄱ-ㅎ])([ㅏ-ㅣ])([ㄱ-ㅎ\u3164])")
# Conjoining fillers stand for a missing initial before a medial, or a missing medial after an
# initial; between two fillers and a final, for both. Any others stand for nothing.
_IDLE: Final = re.compile(
    "\u115f\u1160(?![\u11a8-\u11ff\ud7cb-\ud7fb])"
    "|\u115f(?![\u1160-\u11a7\ud7b0-\ud7c6])"
    "|(?<![\u1100-\u115f\ua960-\ua97c])\u1160"
)
_BLANK: Final = re.compile("[\u3164\uffa0]")


_PRIVATE_USE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")


def replace_private_use(text: str) -> tuple[str, int]:
    """Put known signs in place of private-use characters, and MISSING for letters; drop the others.

    Returns the text and how many there were.
    """
    return _PRIVATE_USE.subn(_replace_sign, text)


def _replace_sign(sign: re.Match[str]) -> str:
    return _SIGNS.get(sign[0], MISSING if _IS_LETTER.match(sign[0]) else "")


def replace_fillers(text: str) -> tuple[str, int]:
    """Write syllables that fillers spell, keep the fillers of old Hangul's syllables, put a space
    in place of those that look like one, and drop the others.

    Returns the text and how many places were changed.
    """
    text, num_spelt = _SPELT.subn(_compose, text)
    text, num_idle = _IDLE.subn("", text)
    text, num_blanks = _BLANK.subn(" ", text)
    return text, num_spelt + num_idle + num_blanks


def _compose(spelt: re.Match[str]) -> str:
    """The syllable of three letters; the letters themselves where there is no such syllable."""
    initial, medial, final = spelt.groups()
    jamo = unicodedata.normalize("NFKC", initial + medial)
    if len(jamo) == 1 and final != "\u3164":
        name = unicodedata.name(final).replace("LETTER", "JONGSEONG")
        jamo = unicodedata.normalize("NFC", jamo + unicodedata.lookup(name))
    return jamo if len(jamo) == 1 else spelt[0].strip("\u3164")
