"""Rows of a Parquet file -> documents."""

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import pyarrow
from pyarrow.parquet import ParquetFile

from corpora.errors import as_user_error
from corpora.recipe import Source
from corpora.sources.formats.columns import RowSource, needed_columns, to_document
from corpora.sources.records import MaybeRecords, Record, bad_record, decode
from corpora.sources.streams import ByteStream

BATCH_ROWS: Final = 64  # read at a time: documents may be long


@contextmanager
def open_parquet(stream: ByteStream) -> Iterator[ParquetFile]:
    """Open a Parquet file, whose end has to be read first: what is packed is unpacked to disk."""
    if isinstance(stream, io.BufferedReader) and stream.seekable():
        with ParquetFile(cast(Any, stream)) as parquet:
            yield parquet
        return
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file)
        with ParquetFile(cast(Any, file)) as parquet:
            yield parquet


def read_parquet(source: Source, stream: ByteStream, label: str) -> MaybeRecords:
    """Yield the file's documents.

    Raises UserError for a column that isn't there and for one that holds no text.
    """
    if isinstance(source, RowSource):
        yield from _read_values(source, stream, label)
        return
    number = 0
    with open_parquet(stream) as parquet:
        columns = needed_columns(source, label, parquet.schema_arrow.names)
        what = f"{label}: one of the columns {columns} holds no text"
        advice = f"Name columns of text in source {source.name!r}."
        # A string column may hold what is no UTF-8, and one such row mustn't stop the file.
        as_bytes = pyarrow.schema([(column, pyarrow.binary()) for column in columns])
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            with as_user_error(what, advice, pyarrow.ArrowNotImplementedError):
                rows = batch.select(columns).cast(as_bytes).to_pylist()
            for row in rows:
                number += 1
                yield _to_record(source, f"{label}:{number}", row)


def _read_values(source: RowSource, stream: ByteStream, label: str) -> MaybeRecords:
    """Rows with values of any type; of a struct's field the whole column is read."""
    with open_parquet(stream) as parquet:
        names = parquet.schema_arrow.names
        wanted = [
            (key, path if path in names else path.partition(".")[0]) for key, path in source.fields
        ]
        whole = source.model_copy(update={"fields": tuple(wanted)})
        columns = needed_columns(whole, label, names) or names
        number = 0
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            for row in batch.to_pylist():
                number += 1
                yield to_document(source, f"{label}:{number}", row)


def _to_record(source: Source, where: str, row: dict[str, Any]) -> Record | None:
    try:
        texts = {column: decode(value or b"") for column, value in row.items()}
    except ValueError as error:
        return bad_record(where, str(error), row[source.text] or b"")
    return to_document(source, where, texts)
