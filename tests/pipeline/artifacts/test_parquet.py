"""Parquet files that have their name only when complete."""

import pyarrow
import pytest

from pipeline.artifacts import parquet
from pipeline.artifacts.parquet import ParquetFile, read_batches

SCHEMA = pyarrow.schema({"text": "string", "number": "int64"})


def texts_of(path):
    return [text for batch in read_batches(path, ["text"]) for text in batch["text"].to_pylist()]


def test_rows_come_back_in_their_order_over_several_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 100)
    path = tmp_path / "folder" / "rows.parquet"
    texts = [f"{number}번째 줄" for number in range(40)]
    with ParquetFile(path, SCHEMA) as file:
        for start in range(0, 40, 8):
            file.add(texts[start : start + 8], range(start, start + 8))
    assert texts_of(path) == texts
    assert len(list(read_batches(path))) > 1


def test_without_rows_there_is_no_file_and_reading_it_gives_none(tmp_path):
    path = tmp_path / "rows.parquet"
    with ParquetFile(path, SCHEMA) as file:
        file.add([], [])
    assert not path.exists()
    assert list(read_batches(path)) == []


def test_a_failure_leaves_no_file_of_that_name(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 1)
    path = tmp_path / "rows.parquet"
    with pytest.raises(KeyError), ParquetFile(path, SCHEMA) as file:
        file.add(["가"], [1])
        raise KeyError
    assert not path.exists()
