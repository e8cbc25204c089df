"""The gate that a tokenizer has to pass, and the figures that describe any tokenizer on any text: no unknown token, an
exact round trip, and the same ids from every library, on whole documents and on strings chosen to break one of these.
What a vocabulary is made of is in vocabulary.py."""
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpora import UserError, read_toml
from tokenizer.encoders import Encoder
from tokenizer.train import SPECIAL_TOKENS

_TABLE = read_toml(Path(__file__).with_name("nasty_strings.toml"))
NASTY_STRINGS = (*SPECIAL_TOKENS[:10], *(text * times for text, times in _TABLE.pop("long")),
                 *(text for texts in _TABLE.values() for text in texts))
"""What tends to break tokenizers; not U+2581, SentencePiece's own space, which the corpus stage replaces."""


@dataclass
class Tally:
    """What was seen while encoding; all are counts, `first_problem` says what and where."""
    documents: int = 0
    bytes: int = 0
    characters: int = 0
    eojeols: int = 0
    tokens: int = 0
    unknown_tokens: int = 0
    problems: int = 0
    first_problem: str = ""
    token_boundaries: int = 0
    """Inside eojeols, like the next two."""
    morpheme_boundaries: int = 0
    shared_boundaries: int = 0
    uses: np.ndarray | int = 0
    """How often each id was used; 0 before any text."""

    def figures(self) -> dict:
        """The counts, and tokens per eojeol (text between white space), per character and per UTF-8 byte."""
        counts = {name: value for name, value in vars(self).items() if name != "uses"}
        return {**counts, "tokens_per_eojeol": ratio(self.tokens, self.eojeols),
                "tokens_per_character": ratio(self.tokens, self.characters),
                "tokens_per_byte": ratio(self.tokens, self.bytes),
                "boundary_precision": ratio(self.shared_boundaries, self.token_boundaries),
                "boundary_recall": ratio(self.shared_boundaries, self.morpheme_boundaries)}

    def __add__(self, other: "Tally") -> "Tally":
        summed = {name: value + vars(other)[name] for name, value in vars(self).items() if name != "first_problem"}
        return Tally(**summed, first_problem=self.first_problem or other.first_problem)


def ratio(part: int, whole: int) -> float:
    return round(part / whole, 5) if whole else 0.0


def check_nasty_strings(encoders: list[Encoder]) -> None:
    """Raise UserError for the first that is unlike in two of the encoders, or that one of them loses."""
    for number, text in enumerate(NASTY_STRINGS):
        if problem := find_problem(text, encoders):
            raise UserError(f"tokenizer gate: nasty string {number} {excerpt(text)}, {problem}")


def survey(encoders: list[Encoder], documents: Iterable[str], find_morphemes: Callable[[str], list[int] | None]) -> Tally:
    """Encode every document with all encoders and count; the figures are the first one's. `find_morphemes` says where
    morphemes begin inside a line's eojeols, or None if it can't."""
    first = encoders[0]
    tally = Tally(uses=np.zeros(len(first.pieces), np.int64))
    for text in documents:
        ids, starts = first.locate(text)
        problem = find_problem(text, encoders)
        tally.documents += 1
        tally.bytes += len(text.encode())
        tally.characters += len(text)
        tally.eojeols += len(text.split())
        tally.tokens += len(ids)
        tally.unknown_tokens += ids.count(first.unknown) if first.unknown is not None else 0
        tally.problems += problem is not None
        if problem and not tally.first_problem:
            tally.first_problem = f"{excerpt(text)}, {problem}"
        tally.uses += np.bincount(ids, minlength=len(first.pieces))
        count_boundaries(text, set(starts), find_morphemes, tally)
    return tally


def count_boundaries(text: str, starts: set[int], find_morphemes: Callable, tally: Tally) -> None:
    """Add the boundaries of tokens and of morphemes that lie inside eojeols, line by line."""
    begin = 0
    for line in text.split("\n"):
        morphemes = find_morphemes(line)
        if morphemes is not None:
            tokens = {at for at in range(1, len(line))
                      if begin + at in starts and not line[at - 1].isspace() and not line[at].isspace()}
            tally.token_boundaries += len(tokens)
            tally.morpheme_boundaries += len(morphemes)
            tally.shared_boundaries += len(tokens.intersection(morphemes))
        begin += len(line) + 1


def find_problem(text: str, encoders: list[Encoder]) -> str | None:
    """What is wrong with the ids of one text, if anything is: in one encoder, or between the first and another."""
    expected = encoders[0].encode(text)
    for encoder in encoders:
        ids = expected if encoder is encoders[0] else encoder.encode(text)
        if encoder.unknown in ids:
            before = encoder.decode(ids[:ids.index(encoder.unknown)])
            return f"{encoder.name}: an unknown token after {excerpt(before[-20:])}"
        if special := encoder.special.intersection(ids):
            return f"{encoder.name}: text became special token {encoder.pieces[min(special)]} (id {min(special)})"
        if ids != expected:
            at = first_difference(ids, expected)
            return (f"token {at} differs: {encoders[0].name} {expected[at:at + 5]}, {encoder.name} {ids[at:at + 5]}, "
                    f"after {excerpt(encoders[0].decode(expected[:at])[-20:])}")
        if (back := encoder.decode(ids)) != text:
            at = first_difference(back, text)
            return f"{encoder.name} gives back {excerpt(back[at:])} for {excerpt(text[at:])}, character {at}"
    return None


def first_difference(one, other) -> int:
    """Index of the first element that differs; the shorter one's length if one begins with the other."""
    return next((index for index, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))


def excerpt(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
