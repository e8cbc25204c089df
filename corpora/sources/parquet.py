"""Rows of a parquet file -> documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow
import pyarrow.parquet

from corpora.errors import as_user_error
from corpora.recipe import Source
from corpora.sources.columns import needed_columns, to_document
from corpora.sources.records import Record, Records, bad_record, decode

BATCH_ROWS: Final = 64  # read at a time: documents may be long


def read_parquet(source: Source, path: Path, label: str) -> Records:
    """Yield the file's documents.

    Raises UserError for a column that isn't there and for one that holds no text.
    """
    with pyarrow.parquet.ParquetFile(path) as file:
        columns = needed_columns(source, label, file.schema_arrow.names)
        for number, values in enumerate(_read_rows(file, path, columns), 1):
            record = _to_record(source, f"{label}:{number}", columns, values)
            if record is not None:
                yield record


def _read_rows(
    file: pyarrow.parquet.ParquetFile, path: Path, columns: list[str]
) -> Iterator[tuple[bytes | None, ...]]:
    """Yield the columns' values, row by row.

    As bytes: a string column may hold what is no UTF-8, and one such row mustn't stop the file.
    """
    what = f"{path}: one of the columns {columns} holds no text"
    for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
        with as_user_error(what, kinds=pyarrow.ArrowNotImplementedError):
            as_bytes = [batch.column(name).cast(pyarrow.binary()) for name in columns]
        yield from zip(*(column.to_pylist() for column in as_bytes))


def _to_record(
    source: Source, where: str, columns: list[str], values: tuple[bytes | None, ...]
) -> Record | None:
    try:
        row = {column: decode(value or b"") for column, value in zip(columns, values)}
    except ValueError as error:
        return bad_record(where, str(error), values[0] or b"")
    return to_document(source, where, row)
