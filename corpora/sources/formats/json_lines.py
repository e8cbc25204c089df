"""Lines of JSON, an object each -> documents; and a JSON value's text -> a document."""

import json
from typing import Any, Final

from corpora.recipe import Source
from corpora.sources.formats.columns import to_document
from corpora.sources.records import MaybeRecords, Record, bad_record
from corpora.sources.streams import ByteStream, read_lines


def read_json_lines(source: Source, stream: ByteStream, label: str) -> MaybeRecords:
    """Yield the source's documents; blank lines are none."""
    for line in read_lines(stream, label):
        if line.reason:
            yield line
        elif line.text.strip():
            yield _read_line(source, line)


def _read_line(source: Source, line: Record) -> Record | None:
    try:
        return read_value(source, line)
    except json.JSONDecodeError as error:
        return bad_record(line.where, f"not JSON: {error.msg}", line.text)


def read_value(source: Source, value: Record) -> Record | None:
    """Return the document in a JSON object, or why it is none; None where `only` leaves it out.

    Raises json.JSONDecodeError for what is no JSON.
    """
    try:
        row = DECODER.decode(value.text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        return bad_record(value.where, "not JSON: nested too deep", value.text)
    except ValueError as error:  # a key twice, or a number of thousands of digits
        return bad_record(value.where, f"not JSON: {error}", value.text)
    if isinstance(row, dict):
        return to_document(source, value.where, row)
    if isinstance(row, list) and source.text.startswith("[]"):
        return to_document(source, value.where, row)
    if isinstance(row, str) and not source.text:  # the text is the value itself
        return to_document(source, value.where, {"": row})
    return bad_record(value.where, "not an object", value.text)


def _to_row(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return row


DECODER: Final = json.JSONDecoder(object_pairs_hook=_to_row, strict=False)
"""Not strict: a tab or a line break as it is, inside a string, is text."""
