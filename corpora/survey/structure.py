"""The columns of a table and the paths of JSON, with some of the texts in them, from a file's
beginning."""

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from corpora.sources.formats.json_files import layout_of
from corpora.sources.formats.json_values import BrokenJsonError, JsonBytes
from corpora.sources.formats.parquet import open_parquet
from corpora.sources.streams import ByteStream
from corpora.survey.fields import Samples, has_header
from corpora.survey.plain import Lines

NUM_ROWS: Final = 50  # looked at, of a table
DELIMITERS: Final = {"txt": "\t", "tsv": "\t,;|", "csv": ",;|\t"}
"""Between columns, by the format that the name says: the likeliest first."""


@dataclass
class Look:
    """What was seen of a file."""

    format: str
    settings: dict[str, Any] = field(default_factory=dict)  # of a source, that its structure needs
    encoding: str = ""
    layout: str = ""  # of JSON: array, objects or lines
    samples: Samples = field(default_factory=dict)  # of rows and objects
    lines: Lines | None = None  # of plain text
    unread: list[str] = field(default_factory=list)  # members that can't be read, and why


def look_at_json(text: str, name: str) -> Look | None:
    """Return what a beginning of JSON holds, by the paths of its texts; None for what is none."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    raw = text.encode()
    layout = layout_of(raw, is_lines=name == "jsonl")
    samples: Samples = {}
    values = JsonBytes(io.BufferedReader(io.BytesIO(raw)))
    try:
        while values.peek():
            _collect(values, "", samples)
    except (BrokenJsonError, RecursionError):  # the beginning's end, or what isn't JSON
        pass
    if not samples:
        return None
    if layout == "array":
        samples = {
            path.removeprefix("[]").removeprefix("."): each for path, each in samples.items()
        }
    format_name = "jsonl" if layout == "lines" and name != "json" else "json"
    return Look(format_name, layout=layout, samples=samples)


def _collect(values: JsonBytes, path: str, samples: Samples) -> None:
    """Put the texts of the next value under their paths."""
    first = values.peek()
    if first == b"{":
        for key in values.members():
            _collect(values, f"{path}.{key}" if path else key, samples)
    elif first == b"[":
        # Not by elements(), which needs each of them whole.
        values.take(b"[")
        while values.peek() != b"]":
            _collect(values, f"{path}[]", samples)
            if values.take(b",]") == b"]":
                return
        values.take(b"]")
    else:
        raw = values.take_value()
        if first == b'"':
            try:
                samples.setdefault(path, []).append(json.loads(raw, strict=False))
            except ValueError:
                return


def look_at_table(text: str, name: str, is_whole: bool) -> Look | None:
    """Return what a table holds, by its columns; None for a .txt that is none."""
    rows: list[list[str]] = []
    delimiter = DELIMITERS[name][0]
    for candidate in DELIMITERS[name]:
        found = _split_rows(text, candidate, name, is_whole)
        if not rows or (len(found) > 1 and len(found[0]) > len(rows[0])):
            rows = found
            delimiter = candidate
    if not rows or (name == "txt" and (len(rows) == 1 or len(rows[0]) == 1)):
        return None
    settings: dict[str, Any] = {}
    format_name = "csv" if name == "csv" or delimiter != "\t" else "tsv"
    if format_name == "csv" and delimiter != ",":
        settings["delimiter"] = delimiter
    columns, *body = rows
    if body and not has_header(rows):
        columns = [f"column{number}" for number in range(1, len(columns) + 1)]
        settings["columns"] = columns
        body = rows
    samples = {column: list(texts) for column, texts in zip(columns, zip(*body))}
    return Look(format_name, settings, samples=samples)


def _split_rows(text: str, delimiter: str, name: str, is_whole: bool) -> list[list[str]]:
    """The first rows, of as many columns as most of them have; none if that is true of few."""
    quoting = csv.QUOTE_NONE if delimiter == "\t" and name != "csv" else csv.QUOTE_MINIMAL
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting):
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) > NUM_ROWS:
                break
    except csv.Error:
        pass  # what was split until then
    if not is_whole or len(rows) > NUM_ROWS:
        rows = rows[:-1]  # the last may be cut
    if not rows:
        return []
    width, count = Counter(map(len, rows)).most_common(1)[0]
    return [row for row in rows if len(row) == width] if count >= 0.9 * len(rows) else []


def look_at_parquet(stream: ByteStream) -> Look:
    """Return what a Parquet file holds, by its columns of text."""
    samples: Samples = {}
    with open_parquet(stream) as file:
        for batch in file.iter_batches(batch_size=NUM_ROWS):
            for name, values in batch.to_pydict().items():
                if texts := [value for value in values if isinstance(value, str)]:
                    samples[name] = texts
            break
    return Look("parquet", samples=samples)
