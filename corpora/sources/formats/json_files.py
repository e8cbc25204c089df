"""A file of JSON -> documents, in the memory of one of them. Its first byte that is no white space
says what it is:

[   an array, on one line or on many: each element is a document. An element that is a string is
    the text itself, if the source names no key.
{   lines of objects, each a document, read by json_lines.py. A first line that ends in a bracket,
    comma or colon begins an object over several lines, and in format json a file of one line is
    one object, too. Of a file of one object, or of several one after the other, each element of
    the first list in the source's `text` is a document; the object, if there's no list in it or
    `unit` is file.
Anything else is read as lines, which then say what is wrong with them.

So a bad line or element, or one that is too long, is lost alone. Where brackets, commas or quotes
are missing, the rest can't be told apart, and the run stops."""

import codecs
import io
import json
from collections.abc import Iterator
from itertools import count
from typing import Any, Final, Literal, cast

from corpora.errors import UserError, require
from corpora.recipe import Source
from corpora.sources.formats.columns import RowSource
from corpora.sources.formats.json_lines import read_json_lines, read_value
from corpora.sources.formats.json_values import BrokenJsonError, JsonBytes
from corpora.sources.records import (
    MAX_RECORD,
    MaybeRecords,
    Record,
    bad_record,
    to_record,
)
from corpora.sources.streams import ByteStream

Layout = Literal["array", "objects", "lines"]
MAX_KEYS: Final = 20  # that a reason names


def read_json(source: Source, stream: ByteStream, label: str, is_lines: bool) -> MaybeRecords:
    """Yield the documents of a file of format json or, if `is_lines`, jsonl.

    Raises UserError for a file whose brackets, commas or quotes are wrong, and for a setting that
    doesn't fit it.
    """
    if not is_lines:
        # The first line has to be seen whole, and what comes after it.
        stream = io.BufferedReader(cast(Any, stream), MAX_RECORD)
    with stream:
        layout = layout_of(stream.peek(1), is_lines)
        require(
            layout == "objects" or source.unit != "file",
            f"{label}: source {source.name!r} says unit = 'file', but this file holds "
            f"{'an array' if layout == 'array' else 'lines of JSON'}: leave unit out.",
        )
        if layout == "lines":
            yield from read_json_lines(source, stream, label)
        else:
            yield from _read_values(source, stream, label, layout)


def _read_values(source: Source, stream: ByteStream, label: str, layout: Layout) -> MaybeRecords:
    values = JsonBytes(stream)
    read = _read_array if layout == "array" else _read_objects
    try:
        yield from read(source, values, label)
    except BrokenJsonError as error:
        what = "one array"
        if layout == "objects":
            what = "objects, not as lines of them, by its first line"
        raise UserError(
            f"{label}: not JSON: {error}. The file was read as {what}. Mend it, get it again, or "
            f"take it out of the paths of source {source.name!r}."
        ) from None


def layout_of(head: bytes, is_lines: bool) -> Layout:
    """Say what a file that begins like this holds."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith(b"["):
        return "array"
    if not start.startswith(b"{"):
        return "lines"
    first, line_end, rest = start.partition(b"\n")
    if line_end and first.rstrip().endswith((b"{", b"[", b",", b":")):
        return "objects"
    return "lines" if is_lines or rest.strip() else "objects"


def _read_array(source: Source, values: JsonBytes, label: str) -> MaybeRecords:
    names_no_key = source.text == "text" and not source.title and not source.only
    strings = source.model_copy(update={"text": ""}) if names_no_key else source
    for number, raw in enumerate(values.elements(), 1):
        kind = strings if raw.startswith(b'"') else source
        yield _read_element(kind, values, f"{label}:{number}", raw)
    if values.peek():
        raise BrokenJsonError(f"at {values.place} the array is over, but the file goes on")


def _read_objects(source: Source, values: JsonBytes, label: str) -> MaybeRecords:
    keys, _, inner_path = source.text.partition("[]")
    is_whole = source.unit == "file" or keys == source.text
    inner = source if is_whole else _inside_list(source, label, f"{keys}[]", inner_path)
    numbers = count(1)
    while values.peek():
        if is_whole:
            raw = values.take_value()
            yield _read_element(source, values, f"{label}:{next(numbers)}", raw)
            continue
        reasons: list[str] = []
        for raw in _find_elements(values, keys.split("."), reasons):
            yield _read_element(inner, values, f"{label}:{next(numbers)}", raw)
        for reason in reasons:
            yield bad_record(f"{label}:{next(numbers)}", reason, "")


def _inside_list(source: Source, label: str, prefix: str, text: str) -> Source:
    """The source as it is for an element of the list that `prefix` names."""
    update = {"text": text.removeprefix(".")}
    used = {"title": source.title, "id": source.id if source.only else ""}
    for key, path in used.items():
        require(
            not path or path.startswith(f"{prefix}."),
            f"{label}: source {source.name!r} says {key} = {path!r}, but a document of this file "
            f"is an element of {prefix!r}: begin {key} with {prefix + '.'!r}, or set "
            'unit = "file".',
        )
        update[key] = path.removeprefix(f"{prefix}.")
    if isinstance(source, RowSource):
        for key, path in source.fields:
            require(
                path.startswith(f"{prefix}."),
                f"{label}: {source.name!r} says {key} = {path!r}, but a row of this file is an "
                f"element of {prefix!r}: begin it with {prefix + '.'!r}.",
            )
        inside = tuple((key, path.removeprefix(f"{prefix}.")) for key, path in source.fields)
        return source.model_copy(update={"text": update["text"], "fields": inside})
    return source.model_copy(update=update)


def _find_elements(values: JsonBytes, keys: list[str], reasons: list[str]) -> Iterator[bytes]:
    """Take an object and yield the elements of the list at these keys in it.

    Where there's none, say why in `reasons`.
    """
    seen: list[str] = []
    is_there = False
    for key in values.members():
        if key != keys[0]:
            values.take_value(limit=0)
            seen += [key] if len(seen) < MAX_KEYS else []
            continue
        is_there = True
        is_last = len(keys) == 1
        if values.peek() != (b"[" if is_last else b"{"):
            values.take_value(limit=0)
            reasons.append(f"{key!r} is {'no list' if is_last else 'no object'}")
        elif is_last:
            yield from values.elements()
        else:
            yield from _find_elements(values, keys[1:], reasons)
    if not is_there:
        reasons.append(f"no {keys[0]!r}; the keys are {', '.join(map(repr, seen))}"[:300])


def _read_element(source: Source, values: JsonBytes, where: str, raw: bytes) -> Record | None:
    record = to_record(where, raw)
    if record.reason:
        return record
    try:
        return read_value(source, record)
    except json.JSONDecodeError as error:
        line = values.value_line + error.lineno - 1
        raise BrokenJsonError(
            f"line {line}: {error.msg}, in the value that begins at byte {values.value_byte}"
        ) from None
