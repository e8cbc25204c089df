"""What a vocabulary is made of: the kind of each of its pieces."""

import re
from typing import Final

from tokenizer.analysers import Tagger
from tokenizer.export import SPACE
from tokenizer.quality.encoders import Encoder

SPECIAL: Final = "special"
PART: Final = "single bytes or parts of characters"
HANGUL: Final = "Hangul"
WITH_PARTICLE: Final = "Hangul with a particle"

CATEGORIES: Final = {
    "white space": r"\s+",
    "across spaces": r"(?s).*\s.*",
    "Hangul syllable": r"[가-힣]",
    HANGUL: r"[가-힣]+",
    "jamo": r"[ㄱ-ㆎ\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]+",
    "Hanja": r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+",
    "Latin": r"[A-Za-z\u00c0-\u024f]+",
    "digits": r"\d+",
    "punctuation and signs": r"[\W_]+",
    "mixed and other scripts": r"(?s).*",
}
"""Kinds of piece, and what all of a piece's text has to fit, without the spaces around it. The
first one that fits counts."""

KINDS: Final = (SPECIAL, PART, *CATEGORIES, WITH_PARTICLE)
"""In the order of the report."""


def piece_texts(encoder: Encoder) -> dict[int, str]:
    """What each piece stands for, by id; as the library writes it where it decodes to nothing."""
    return {
        index: encoder.decode([index]) or piece.replace(SPACE, " ")
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
    stripped = text.strip() or text
    kind = next(name for name, pattern in CATEGORIES.items() if re.fullmatch(pattern, stripped))
    if kind == HANGUL:
        tags = [tag for _, tag in tagger.pos(text)]
        if len(tags) > 1 and tags[-1].startswith("J"):
            return WITH_PARTICLE
    return kind
