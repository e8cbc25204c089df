"""Rows to and from zstd-compressed Parquet files, a few MB in memory at a time."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow.parquet

from pipeline.artifacts.files import publish

ROW_GROUP_BYTES = 2 << 20
WRITER_OPTIONS: dict[str, Any] = {"compression": "zstd", "use_dictionary": ["source", "reason"]}
"""Dictionaries pay only in columns of few different values."""


def read_batches(path: Path, columns: list[str] | None = None) -> Iterator[pyarrow.RecordBatch]:
    """A file's rows, a row group at a time; none if there is no file, because it had no rows."""
    if not path.exists():
        return
    with pyarrow.parquet.ParquetFile(path) as file:
        # Not iter_batches, which holds on to more than one group. Threads hold on to memory, too.
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns, use_threads=False)
            yield from table.combine_chunks().to_batches()


class ParquetFile(AbstractContextManager["ParquetFile"]):
    """A Parquet file that has its name only when it is complete.

    Without rows there is no file. Its bytes depend on the rows, and on how many were added at a
    time, alone.
    """

    def __init__(self, path: Path, schema: pyarrow.Schema) -> None:
        self.path = path
        self.temporary = path.with_name(path.name + ".tmp")
        self.schema = schema
        self.tables: list[pyarrow.Table] = []  # not written yet
        self.num_bytes = 0  # in those tables
        self.writer: pyarrow.parquet.ParquetWriter | None = None

    def add(self, *columns: Any) -> None:
        """Append rows, given as columns in the schema's order: lists, arrays or Arrow arrays."""
        table = pyarrow.table(list(columns), schema=self.schema)
        if len(table):
            self.tables.append(table)
            self.num_bytes += table.nbytes
        if self.num_bytes >= ROW_GROUP_BYTES:
            self._write_row_group()

    def _write_row_group(self) -> None:
        if self.writer is None:
            self.path.parent.mkdir(exist_ok=True)
            self.writer = pyarrow.parquet.ParquetWriter(
                self.temporary, self.schema, **WRITER_OPTIONS
            )
        self.writer.write_table(pyarrow.concat_tables(self.tables).combine_chunks())
        self.tables = []
        self.num_bytes = 0

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        failed = kind is not None
        if self.tables and not failed:
            self._write_row_group()
        if self.writer is not None:
            self.writer.close()
            if not failed:
                publish(self.temporary, self.path)
