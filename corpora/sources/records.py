"""What a reader gives: a text and its place, or the place of what can't be read and why; and how
bytes become text. Nothing is opened here."""

import codecs
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

MAX_RECORD: Final = 32 << 20
"""Bytes of the longest line, row or file taken as one record; a longer one is rejected, not cut."""
TOO_LONG: Final = f"longer than {MAX_RECORD >> 20} MB"
EXCERPT: Final = 1000
"""Characters of a rejected text that are kept to look at."""
BYTE_PLACE: Final = re.compile(r"(byte \d+.*? \(0x..\)) is ")
"""How a reason names the byte that can't be read; what follows is the same for all."""
NO_TEXT: Final = "no text in it"
"""Why a file of nothing but white space is a bad record."""


class Record(NamedTuple):
    """A text as its source has it; or, with a `reason`, the start of one that can't be read."""

    where: str  # file:line, or dataset:row
    text: str
    title: str = ""
    reason: str = ""
    num_lines: int = 1  # of a text that is read as a whole; 1 for all else
    row: tuple[Any, ...] | None = None  # in place of a text, the values of a RowSource's fields


class UndecodableError(ValueError):
    """A byte fits neither of the encodings; `offset` is its place, from 0."""

    def __init__(self, raw: bytes, offset: int) -> None:
        super().__init__(undecodable(raw[offset], f"byte {offset}"))
        self.offset = offset


Records = Iterator[Record]
MaybeRecords = Iterator[Record | None]
"""None for a row that isn't the source's, which `only` leaves out."""


def to_record(where: str, raw: bytes, is_line: bool = False) -> Record:
    """Decode what a file has at this place, a line without its end, or say why it can't be read."""
    if len(raw) > MAX_RECORD:
        return bad_record(where, TOO_LONG, raw)
    try:
        text = decode(raw)
    except ValueError as error:
        return bad_record(where, str(error), raw)
    return Record(where, text.removesuffix("\n").removesuffix("\r") if is_line else text)


def bad_record(where: str, reason: str, raw: str | bytes) -> Record:
    """Say why a text can't be read, with its start as far as UTF-8 can hold it."""
    start = raw[:EXCERPT]
    if isinstance(start, str):
        start = start.encode("utf-8", "backslashreplace")  # of lone surrogates
    return Record(where, start.decode("utf-8", "backslashreplace"), reason=reason)


def decode(raw: bytes) -> str:
    """Decode as strict UTF-8, with or without its mark, else as CP949; NULs are stripped.

    This order was right on every sample; guessing the encoding was wrong on short lines. Raises
    ValueError with the reason: UndecodableError for a byte, another for what is no text at all.
    """
    num_nuls = raw.count(0)
    if num_nuls > 16 and num_nuls * 100 > len(raw):
        raise ValueError("binary: more than one NUL in a hundred bytes")
    encoding = "utf-8-sig" if raw.startswith(codecs.BOM_UTF8) else "utf-8"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        text = _decode_cp949(raw, error.start)
    return text.replace("\0", "")


def undecodable(byte: int, place: str) -> str:
    """Say that this byte, at this place, fits neither encoding."""
    return f"{place} (0x{byte:02x}) is neither UTF-8 nor CP949"


def _decode_cp949(raw: bytes, num_utf_8: int) -> str:
    try:
        text = raw.decode("cp949")
    except UnicodeDecodeError as error:
        # The encoding that gets farther is the text's own.
        raise UndecodableError(raw, max(num_utf_8, error.start)) from None
    num_controls = len(re.findall(r"[\x01-\x08\x0e-\x1f]", text))
    if num_controls * 20 > len(text):
        raise ValueError("binary: more than one control character in twenty")
    return text
