"""A recipe's sources -> a stream of documents, in flat memory. Files, of any format, compression and encoding: what
can't be read becomes a record with its place and the reason; only a damaged container or a wrong setting stops the run.
Hub datasets, at a pinned revision, aren't kept on disk; one that can't be had ends in one message, in seconds."""
import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import re
import zlib
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet

from corpora.errors import UserError, as_user_error, require
from corpora.hub import CHECK, open_builder
from corpora.recipe import Source
from corpora.sources.shards import Shard, file_format

MAX_RECORD = 32 << 20  # bytes of the longest line, row or file taken as one record; a longer one is rejected, not cut
TOO_LONG = f"longer than {MAX_RECORD >> 20} MB"
EXCERPT = 1000  # characters of a rejected text that are kept to look at
DAMAGE = (EOFError, OSError, UnicodeError, lzma.LZMAError, zlib.error, pyarrow.ArrowException)
TIMEOUT = 10  # seconds a request may wait for the next byte; huggingface_hub tries five times more, seconds apart
BUILDERS = ("parquet", "json", "csv", "text", "arrow", "cache")  # readers that never unpickle; cache is what they read
Records = Iterator["Record"]


class Record(NamedTuple):
    """A text as its source has it, and its place: `file:line`, or `dataset:row`; or the reason why it can't be read."""
    where: str
    text: str
    title: str = ""
    reason: str = ""


def read_file(source: Source, path: Path, label: str) -> Records:
    """Stream a file's documents and bad records, in places after `label`; UserError for damage or a wrong setting."""
    kind, advice = file_format(source, path), "Get the file again, or take it out of the recipe's paths."
    with as_user_error(f"{path}: damaged or cut short", advice, DAMAGE), open_stream(path) as stream:
        if not path.stat().st_size or not stream.peek(1):
            records = [Record(label, "", reason="empty file")]
        elif kind == "parquet":
            records = _read_parquet(source, path, label)
        elif kind == "md" or (kind == "txt" and source.unit == "file"):
            records = [_decoded(label, stream.read(MAX_RECORD + 1))]
        elif kind == "txt":
            records = _read_text(source, _lines(stream, label))
        elif kind == "jsonl":
            records = (_read_json(source, line) for line in _lines(stream, label))
        else:
            records = _read_table(source, _lines(stream, label), label, tabs=kind == "tsv")
        yield from filter(None, records)


def decode(raw: bytes) -> str:
    """Byte-order mark, then strict UTF-8, then CP949; NULs are stripped. Raises ValueError with the reason."""
    num_nuls, marked = raw.count(0), raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if num_nuls > 16 and num_nuls * 100 > len(raw) and not marked:
        raise ValueError("binary: more than one NUL in a hundred bytes")
    for encoding in ("utf-16" if marked else "utf-8-sig" if raw.startswith(codecs.BOM_UTF8) else "utf-8", "cp949"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "cp949" and len(re.findall(r"[\x01-\x08\x0e-\x1f]", text)) * 20 > len(text):
            raise ValueError("binary: more than one control character in twenty")
        return text.replace("\0", "") if num_nuls else text
    raise ValueError("neither UTF-8 nor CP949")


def open_stream(path: Path) -> io.BufferedIOBase:
    """Open a plain or compressed file for reading; the suffix says which."""
    suffix = path.suffix.lower()
    if suffix == ".zst":
        # Arrow's reader, because zstandard's ends without an error where a frame is cut short.
        return io.BufferedReader(pyarrow.input_stream(path, "zstd"), 1 << 20)
    return {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(suffix, open)(path, "rb")


def _lines(stream: io.BufferedIOBase, label: str) -> Records:
    """Every line that ends in \\n, without its line end; a bare \\r is no line end."""
    if stream.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        stream = io.TextIOWrapper(stream, encoding="utf-16", newline="\n")
    numbers = count(1)
    while raw := stream.readline(MAX_RECORD + 1):
        yield _decoded(f"{label}:{next(numbers)}", raw, is_line=True)
        while len(raw) > MAX_RECORD and raw[-1:] not in (b"\n", "\n"):
            raw = stream.readline(MAX_RECORD + 1)
    stream.close()  # not left to the wrapper's end


def _decoded(where: str, raw: str | bytes, is_line: bool = False) -> Record:
    try:
        if len(raw) > MAX_RECORD:
            raise ValueError(TOO_LONG)
        text = raw if isinstance(raw, str) else decode(raw)
        return Record(where, text.removesuffix("\n").removesuffix("\r") if is_line else text)
    except ValueError as error:
        return _bad(where, str(error), raw)


def _bad(where: str, reason: str, text: str | bytes) -> Record:
    raw = text[:EXCERPT].encode("utf-8", "backslashreplace") if isinstance(text, str) else text[:EXCERPT]
    return Record(where, raw.decode("utf-8", "backslashreplace"), reason=reason)


def _read_text(source: Source, lines: Records) -> Records:
    block, size = [], 0
    for line in chain(lines, [Record("", "")]):  # a blank line ends a block
        if line.reason:
            yield line
        elif line.text.strip():
            block.append(line)
            size += len(line.text)
        if block and (source.unit == "line" or not line.text.strip() or size > MAX_RECORD // 3):
            yield Record(block[0].where, "\n".join(each.text for each in block))
            block, size = [], 0


def _read_json(source: Source, line: Record) -> Record | None:
    if line.reason or not line.text.strip():
        return line if line.reason else None
    try:
        row = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        return _bad(line.where, f"not JSON: {getattr(error, 'msg', 'nested too deep')}", line.text)
    if not isinstance(row, dict):
        return _bad(line.where, "not an object", line.text)
    return to_document(source, line.where, row)


def _read_table(source: Source, lines: Records, label: str, tabs: bool) -> Records:
    bad, where = [], label

    def texts() -> Iterator[str]:
        for line in lines:
            if line.reason:
                bad.append(line)
            # A blank line in its place keeps the count; and the csv module takes a bare \r for a line end.
            yield "\n" if line.reason else line.text.replace("\r", " ") + "\n"

    csv.field_size_limit(MAX_RECORD)
    # Quotes in tab-separated text are text (NSMC, KorNLI): read as quoting, one stray quote swallows lines.
    style = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if tabs else {"strict": True}
    rows, row, header = csv.reader(texts(), **style), [], None
    while row is not None:
        start = where
        try:
            row = next(rows, None)
        except csv.Error as error:
            if "unexpected end" in str(error):  # all the lines from here on were taken for one field
                raise UserError(f"{label}: a quote after {start} is never closed. Mend the file.") from None
            row = []
            bad.append(_bad(f"{label}:{rows.line_num}", f"not CSV: {error}", ""))
        where = f"{label}:{rows.line_num}"
        yield from bad
        bad.clear()
        if row and header is None:
            needed_columns(source, label, header := row)
        elif row and len(row) != len(header):
            yield _bad(where, f"{len(row)} fields under {len(header)} columns", "\t".join(row))
        elif row:
            yield to_document(source, where, dict(zip(header, row)))


def _read_parquet(source: Source, path: Path, label: str) -> Records:
    numbers = count(1)
    with pyarrow.parquet.ParquetFile(path) as file:
        columns = needed_columns(source, label, file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=64, columns=columns):
            with as_user_error(f"{path}: one of the columns {columns} holds no text", kinds=pyarrow.ArrowNotImplementedError):
                # as bytes: a string column may hold what is no UTF-8, and one such row mustn't stop the file
                rows = [column.cast(pyarrow.binary()).to_pylist() for column in batch.select(columns).columns]
            for values in zip(*rows):
                where = f"{label}:{next(numbers)}"
                try:
                    yield to_document(source, where, {key: decode(value or b"") for key, value in zip(columns, values)})
                except ValueError as error:
                    yield _bad(where, str(error), values[0] or b"")


def needed_columns(source: Source, where: str, there: list[str]) -> list[str]:
    """The columns that the source names; raises UserError that lists those there are if one isn't among them."""
    needed = {"text": source.text, "title": source.title, "id": source.only and source.id}
    for key, column in needed.items():
        require(not column or column in there, f"{where}: source {source.name!r} says {key} = {column!r}, but the "
                f"columns are {', '.join(map(repr, there))}: set {key} to the right one.")
    return list(dict.fromkeys(filter(None, needed.values())))


def to_document(source: Source, where: str, row: dict) -> Record | None:
    """A row -> the document in it, or why it is none; None for a row that isn't this source's."""
    if source.only and not isinstance(row.get(source.id), str):
        return _bad(where, f"no text in {source.id!r}, which only = needs", str(row))
    if source.only and not row[source.id].startswith(source.only):
        return None
    text, title = row.get(source.text), (source.title and row.get(source.title)) or ""
    if source.text not in row:
        return _bad(where, f"no {source.text!r}; the keys are {', '.join(map(repr, row))}"[:300], str(row))
    if not isinstance(text, str) or not isinstance(title, str):
        return _bad(where, f"{source.text!r} or its title is no text", str(row))
    try:
        size = len((text + title).encode())
    except UnicodeEncodeError:
        return _bad(where, "lone surrogate", text)
    return Record(where, text, title) if size <= MAX_RECORD else _bad(where, TOO_LONG, text)


def open_hub(source: Source):
    """A source's columns as datasets' stream; raises UserError when the Hub, the dataset or a column is missing."""
    with _reading(source):
        stream = open_builder(source.dataset, source.config, source.revision).as_streaming_dataset(split=source.subset)
        names = stream.column_names or list(next(iter(stream), {}))
        return stream.select_columns(needed_columns(source, source.dataset, names))


def read_hub(shard: Shard) -> Records:
    """Stream one part of a Hub dataset until its share of the byte budget is read; nothing is kept on disk."""
    source, budget = shard.source, shard.source.byte_budget / shard.parts or float("inf")
    with _reading(source):
        for number, row in enumerate(open_hub(source).shard(num_shards=shard.parts, index=shard.part), 1):
            if record := to_document(source, f"{source.dataset}/{shard.part}:{number}", row):
                yield record
                budget -= len(record.text.encode("utf-8", errors="replace"))
            if budget <= 0:
                return


def _reading(source: Source):
    what = f"source {source.name!r}: Hub dataset {source.dataset} {source.config} at {source.revision}"
    return as_user_error(f"can't read {what}", f"{CHECK} Check the recipe's dataset, config, subset and revision. "
                   "Finished parts are kept: run it again.")
