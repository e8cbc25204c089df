"""What the tests of the readers share: how a file of a source is written and read, and what came of
it."""

import io
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet

from corpora.sources.read import read_file
from corpora.sources.records import Record
from tests.corpora.small_recipe import make_source

ROWS = ["대한민국은 민주공화국이다.", "모든 국민은 법 앞에 평등하다."]


def read(path: Path, data: bytes, **settings) -> list[Record]:
    """Write a file and read it as a source with these settings."""
    path.write_bytes(data)
    return list(read_file(make_source(**settings), path, path.name))


def texts(records: list[Record]) -> list[str]:
    return [record.text for record in records if not record.reason]


def bad(records: list[Record]) -> list[tuple[str, str]]:
    return [(record.where, record.reason) for record in records if record.reason]


def json_lines(*rows: dict) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def parquet(columns: dict) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink)
    return sink.getvalue()
