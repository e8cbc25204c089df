"""What a reader gives: a text and its place, or the place of what can't be read and why; and how
bytes become text. Nothing is opened here."""

import codecs
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_RECORD: Final = 32 << 20
"""Bytes of the longest line, row or file taken as one record; a longer one is rejected, not cut."""
TOO_LONG: Final = f"longer than {MAX_RECORD >> 20} MB"
EXCERPT: Final = 1000
"""Characters of a rejected text that are kept to look at."""
UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Record(NamedTuple):
    """A text as its source has it; or, with a `reason`, the start of one that can't be read."""

    where: str  # file:line, or dataset:row
    text: str
    title: str = ""
    reason: str = ""


Records = Iterator[Record]
MaybeRecords = Iterator[Record | None]
"""None for a row that isn't the source's, which `only` leaves out."""


def to_record(where: str, raw: str | bytes, is_line: bool = False) -> Record:
    """Decode what a file has at this place, a line without its end, or say why it can't be read."""
    if len(raw) > MAX_RECORD:
        return bad_record(where, TOO_LONG, raw)
    try:
        text = raw if isinstance(raw, str) else decode(raw)
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
    """Decode by the byte-order mark, else as strict UTF-8, else as CP949; NULs are stripped.

    This order was right on every sample; guessing the encoding was wrong on short lines. Raises
    ValueError with the reason, also for what is no text at all.
    """
    is_utf_16 = raw.startswith(UTF_16_MARKS)
    num_nuls = raw.count(0)
    if not is_utf_16 and num_nuls > 16 and num_nuls * 100 > len(raw):
        raise ValueError("binary: more than one NUL in a hundred bytes")
    encoding = "utf-8"
    if is_utf_16:
        encoding = "utf-16"
    elif raw.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = _decode_cp949(raw)
    return text.replace("\0", "")


def _decode_cp949(raw: bytes) -> str:
    try:
        text = raw.decode("cp949")
    except UnicodeDecodeError:
        raise ValueError("neither UTF-8 nor CP949") from None
    num_controls = len(re.findall(r"[\x01-\x08\x0e-\x1f]", text))
    if num_controls * 20 > len(text):
        raise ValueError("binary: more than one control character in twenty")
    return text
