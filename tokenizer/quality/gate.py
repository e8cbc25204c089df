"""What a tokenizer has to hold on every text in NFC: no unknown token, no special token, an exact
round trip, the same ids from every library. And strings chosen to break one of these."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from corpora.errors import UserError
from corpora.settings import read_toml
from tokenizer.quality.encoders import Encoder
from tokenizer.special_tokens import SPECIAL_TOKENS

_TABLE: Final = read_toml(Path(__file__).with_name("nasty_strings.toml"))

NASTY_STRINGS: Final[tuple[str, ...]] = (
    *SPECIAL_TOKENS[:10],
    *(each["text"] * each["times"] for each in _TABLE["repeated"]),
    *_TABLE["strings"],
)


def check_nasty_strings(encoders: list[Encoder]) -> None:
    """Raise UserError for the first nasty string with a problem in one of the encoders."""
    for number, text in enumerate(NASTY_STRINGS):
        problem = find_problem(text, encoders)
        if problem is not None:
            raise UserError(f"tokenizer gate: nasty string {number} {text[:40]!r}, {problem}")


def find_problem(text: str, encoders: list[Encoder]) -> str | None:
    """What is wrong with the ids of one text, if anything is: in one encoder, or between the first
    and another.

    The text is put in NFC before, as all text of a corpus is: some tokenizers do so themselves,
    and what they give back is that.
    """
    text = unicodedata.normalize("NFC", text)
    first = encoders[0]
    expected = first.encode(text)
    for encoder in encoders:
        ids = expected if encoder is first else encoder.encode(text)
        if encoder.unknown is not None and encoder.unknown in ids:
            before = encoder.decode(ids[: ids.index(encoder.unknown)])
            return f"{encoder.name}: an unknown token after {before[-20:]!r}"
        special = encoder.special.intersection(ids)
        if special:
            index = min(special)
            return f"{encoder.name}: text became special token {encoder.pieces[index]} (id {index})"
        if ids != expected:
            at = _first_difference(ids, expected)
            before = first.decode(expected[:at])
            return (
                f"token {at} differs: {first.name} {expected[at : at + 5]}, "
                f"{encoder.name} {ids[at : at + 5]}, after {before[-20:]!r}"
            )
        decoded = encoder.decode(ids)
        if decoded != text:
            at = _first_difference(decoded, text)
            return (
                f"{encoder.name} gives back {decoded[at : at + 40]!r} for {text[at : at + 40]!r}, "
                f"character {at}"
            )
    return None


def _first_difference(one: Sequence, other: Sequence) -> int:
    """Index of the first item that isn't the same in both, or where the shorter one ends."""
    for index, (ours, theirs) in enumerate(zip(one, other)):
        if ours != theirs:
            return index
    return min(len(one), len(other))
