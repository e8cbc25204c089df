"""Rows to and from zstd Parquet files, a few MB in memory at a time."""
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow.parquet

from pipeline.artifacts.files import publish

ROW_GROUP_BYTES = 2 << 20
if "jemalloc" in pyarrow.supported_memory_backends():  # Arrow's default keeps 80 MB more, and more with every shard
    pyarrow.set_memory_pool(pyarrow.jemalloc_memory_pool())


def read_batches(path: Path, columns: list[str] | None = None) -> Iterator[pyarrow.RecordBatch]:
    """A work file's rows, a row group at a time; none if the shard had no such rows."""
    if path.exists():
        with pyarrow.parquet.ParquetFile(path) as file:
            for group in range(file.num_row_groups):  # iter_batches holds on to more than one, threads to memory
                yield from file.read_row_group(group, columns, use_threads=False).combine_chunks().to_batches()


class ParquetFile(AbstractContextManager):
    """A Parquet file that has its name only when complete. No rows, no file. Its bytes depend on the rows alone."""

    def __init__(self, path: Path, schema: pyarrow.Schema):
        self.path, self.temporary, self.schema = path, path.with_name(path.name + ".tmp"), schema
        self.tables, self.num_bytes, self.writer = [], 0, None

    def add(self, *columns) -> None:
        """Append rows, given as columns in the schema's order: lists, arrays or Arrow arrays."""
        table = pyarrow.table(list(columns), schema=self.schema)
        if len(table):
            self.tables.append(table)
            self.num_bytes += table.nbytes
        if self.num_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self.writer:
            self.path.parent.mkdir(exist_ok=True)
            self.writer = pyarrow.parquet.ParquetWriter(self.temporary, self.schema, compression="zstd",
                                                        use_dictionary=["source", "reason"])
        self.writer.write_table(pyarrow.concat_tables(self.tables).combine_chunks())
        self.tables, self.num_bytes = [], 0

    def __exit__(self, kind, error, traceback) -> None:
        if kind is None and self.tables:
            self._flush()
        if self.writer is not None:
            self.writer.close()
            if kind is None:
                publish(self.temporary, self.path)
