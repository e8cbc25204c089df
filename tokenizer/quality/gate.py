"""What a tokenizer has to hold on every text: no unknown token, no special token, an exact round
trip, the same ids from every library. And strings chosen to break one of these."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from corpora.errors import UserError
from corpora.settings import Settings, read_toml
from tokenizer.quality.encoders import Encoder
from tokenizer.special_tokens import SPECIAL_TOKENS


class _Repeated(Settings):
    """A text many times in a row."""

    text: str
    times: int


class _NastyTable(Settings):
    """What stands in nasty_strings.toml."""

    strings: tuple[str, ...]
    repeated: tuple[_Repeated, ...]


def _read_nasty_strings() -> tuple[str, ...]:
    path = Path(__file__).with_name("nasty_strings.toml")
    table = _NastyTable.from_table(read_toml(path), path.name)
    repeated = [each.text * each.times for each in table.repeated]
    return (*SPECIAL_TOKENS[:10], *repeated, *table.strings)


NASTY_STRINGS: Final = _read_nasty_strings()


def check_nasty_strings(encoders: list[Encoder]) -> None:
    """Raise UserError for the first nasty string with a problem in one of the encoders."""
    for number, text in enumerate(NASTY_STRINGS):
        problem = find_problem(text, encoders)
        if problem is not None:
            raise UserError(f"tokenizer gate: nasty string {number} {text[:40]!r}, {problem}")


def find_problem(text: str, encoders: list[Encoder]) -> str | None:
    """What is wrong with the ids of one text, if anything is: in one encoder, or between the first
    and another."""
    first = encoders[0]
    expected = first.encode(text)
    for encoder in encoders:
        ids = expected if encoder is first else encoder.encode(text)
        problem = (
            _find_forbidden(ids, encoder)
            or _find_difference(ids, encoder, expected, first)
            or _find_loss(ids, encoder, text)
        )
        if problem is not None:
            return problem
    return None


def _find_forbidden(ids: list[int], encoder: Encoder) -> str | None:
    if encoder.unknown is not None and encoder.unknown in ids:
        before = encoder.decode(ids[: ids.index(encoder.unknown)])
        return f"{encoder.name}: an unknown token after {before[-20:]!r}"
    special = encoder.special.intersection(ids)
    if special:
        index = min(special)
        return f"{encoder.name}: text became special token {encoder.pieces[index]} (id {index})"
    return None


def _find_difference(
    ids: list[int], encoder: Encoder, expected: list[int], first: Encoder
) -> str | None:
    if ids == expected:
        return None
    at = _first_difference(ids, expected)
    before = first.decode(expected[:at])
    return (
        f"token {at} differs: {first.name} {expected[at : at + 5]}, "
        f"{encoder.name} {ids[at : at + 5]}, after {before[-20:]!r}"
    )


def _find_loss(ids: list[int], encoder: Encoder, text: str) -> str | None:
    decoded = encoder.decode(ids)
    if decoded == text:
        return None
    at = _first_difference(decoded, text)
    return (
        f"{encoder.name} gives back {decoded[at : at + 40]!r} for {text[at : at + 40]!r}, "
        f"character {at}"
    )


def _first_difference(one: Sequence, other: Sequence) -> int:
    """Index of the first item that isn't the same in both, or where the shorter one ends."""
    for index, (ours, theirs) in enumerate(zip(one, other)):
        if ours != theirs:
            return index
    return min(len(one), len(other))
