"""Lines of JSON, an object each -> documents."""

import json

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
            yield _read_object(source, line)


def _read_object(source: Source, line: Record) -> Record | None:
    try:
        row = json.loads(line.text)
    except json.JSONDecodeError as error:
        return bad_record(line.where, f"not JSON: {error.msg}", line.text)
    except RecursionError:
        return bad_record(line.where, "not JSON: nested too deep", line.text)
    except ValueError as error:  # a number of thousands of digits
        return bad_record(line.where, f"not JSON: {error}", line.text)
    if not isinstance(row, dict):
        return bad_record(line.where, "not an object", line.text)
    return to_document(source, line.where, row)
