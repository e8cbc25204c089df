"""What a vocabulary is made of: the kind of each of its pieces."""

import re
from typing import Final, NamedTuple

from tokenizer.analysers import Tagger
from tokenizer.quality.encoders import Encoder


class Category(NamedTuple):
    """A kind of piece: all of its text, without the spaces around it, has to fit the pattern."""

    name: str
    pattern: str


SPECIAL: Final = "special"
PART: Final = "single bytes or parts of characters"
HANGUL: Final = "Hangul"
WITH_PARTICLE: Final = "Hangul with a particle"

CATEGORIES: Final = (
    Category("white space", r"\s+"),
    Category("across spaces", r"(?s).*\s.*"),
    Category("Hangul syllable", r"[가-힣]"),
    Category(HANGUL, r"[가-힣]+"),
    Category("jamo", r"[ㄱ-ㆎ\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]+"),
    Category("Hanja", r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"),
    Category("Latin", r"[A-Za-z\u00c0-\u024f]+"),
    Category("digits", r"\d+"),
    Category("punctuation and signs", r"[\W_]+"),
    Category("mixed and other scripts", r"(?s).*"),
)
"""The first one that fits counts."""

KINDS: Final = (SPECIAL, PART, *(category.name for category in CATEGORIES), WITH_PARTICLE)
"""In the order of the report."""


def piece_texts(encoder: Encoder) -> dict[int, str]:
    """What each piece stands for, by id; as the library writes it where it decodes to nothing."""
    return {
        index: encoder.decode([index]) or piece.replace("\u2581", " ")
        for index, piece in enumerate(encoder.pieces)
        if piece
    }


def classify(index: int, text: str, encoder: Encoder, tagger: Tagger) -> str:
    """The kind of the piece with this id, which stands for `text`."""
    if index in encoder.special:
        return SPECIAL
    if re.fullmatch("<0x[0-9A-F]{2}>", encoder.pieces[index]) or "\ufffd" in text:
        return PART
    text = text.removeprefix("##")  # WordPiece's mark for the inside of a word
    kind = _find_category(text.strip() or text)
    if kind == HANGUL and _ends_with_particle(text, tagger):
        return WITH_PARTICLE
    return kind


def _find_category(text: str) -> str:
    return next(category.name for category in CATEGORIES if re.fullmatch(category.pattern, text))


def _ends_with_particle(text: str, tagger: Tagger) -> bool:
    tags = [tag for _, tag in tagger.pos(text)]
    return len(tags) > 1 and tags[-1].startswith("J")
