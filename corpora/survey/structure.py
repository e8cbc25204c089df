"""The columns of a table and the paths of JSON, with some of the texts in them, from a file's
beginning."""

import codecs
import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import pyarrow
import pyarrow.parquet

from corpora.errors import as_user_error
from corpora.sources.formats.json_files import layout_of
from corpora.sources.formats.json_values import BrokenJsonError, JsonBytes
from corpora.sources.records import UTF_16_MARKS, decode
from corpora.sources.streams import Utf16AsUtf8
from corpora.survey.fields import Samples, has_header
from corpora.survey.plain import Lines

HEAD_BYTES: Final = 1 << 18
"""Bytes of a file that are looked at."""
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
    lines: Lines = field(default_factory=Lines)  # of plain text
    unread: list[str] = field(default_factory=list)  # members that can't be read, and why

    def without_samples(self) -> "Look":
        """The same structure, of another file that wasn't looked into."""
        samples: Samples = {name: [] for name in self.samples}
        return Look(self.format, self.settings, layout=self.layout, samples=samples)

    def add(self, other: "Look") -> None:
        """Add what was seen of another file of the same structure."""
        self.lines.add(other.lines)
        for name, texts in other.samples.items():
            self.samples.setdefault(name, []).extend(texts)


def look_at_json(raw: bytes, name: str) -> Look | None:
    """Return what a beginning of JSON holds, by the paths of its texts; None for what is none."""
    stream: Any = io.BytesIO(raw)
    if raw.startswith(UTF_16_MARKS):
        stream = Utf16AsUtf8(io.BufferedReader(stream))
        raw = stream.read(HEAD_BYTES)
        stream = io.BytesIO(raw)
    layout = layout_of(raw, is_lines=name == "jsonl")
    start = raw.removeprefix(codecs.BOM_UTF8).lstrip()
    if not start.startswith((b"{", b"[")):
        return None
    samples: Samples = {}
    values = JsonBytes(stream)
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
                samples.setdefault(path, []).append(str(json.loads(decode(raw), strict=False)))
            except ValueError:
                return


def look_at_table(text: str, name: str, is_whole: bool) -> Look | None:
    """Return what a table holds, by its columns; None for a text that is none."""
    best: list[list[str]] = []
    delimiter = ""
    for candidate in DELIMITERS[name]:
        rows = _split_rows(text, candidate, name, is_whole)
        if len(rows) > 1 and len(rows[0]) > max(1, len(best[0]) if best else 1):
            best = rows
            delimiter = candidate
    if not best and name == "txt":
        return None
    if not best:
        best = _split_rows(text, DELIMITERS[name][0], name, is_whole)
    format_name = "tsv" if name == "txt" else "csv" if delimiter in (",", ";", "|") else name
    settings: dict[str, Any] = {}
    if format_name == "csv" and delimiter not in ("", ","):
        settings["delimiter"] = delimiter
    columns = best[0] if best else []
    body = best[1:]
    if len(best) > 1 and not has_header(best):
        columns = [f"column{number}" for number in range(1, len(columns) + 1)]
        settings["columns"] = columns
        body = best
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


def look_at_parquet(path: Path | IO[bytes]) -> Look:
    """Return what a Parquet file holds, by its columns of text.

    Raises UserError for what is none.
    """
    damage = as_user_error("not a readable Parquet file", kinds=pyarrow.ArrowException)
    with damage, pyarrow.parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
        names = [each.name for each in schema if _is_text(each.type)]
        batch = next(file.iter_batches(batch_size=NUM_ROWS, columns=names), None)
    samples = {name: [] for name in names}
    if batch is not None:
        for name in names:
            samples[name] = [text for text in batch[name].to_pylist() if isinstance(text, str)]
    return Look("parquet", samples=samples)


def _is_text(kind: pyarrow.DataType) -> bool:
    types = pyarrow.types
    return types.is_string(kind) or types.is_large_string(kind)
