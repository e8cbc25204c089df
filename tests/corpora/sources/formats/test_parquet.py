"""Parquet: a row that is no text is bad alone; a column or a file that is none stops the run."""

import pyarrow
import pytest

from corpora.errors import UserError
from tests.corpora.sources.reading import ROWS, bad, parquet, read, texts


def test_a_row_that_is_no_utf_8_is_one_bad_record(tmp_path):
    column = pyarrow.array([ROWS[0].encode(), b"\xff\xff", ROWS[1].encode()], pyarrow.binary())
    text = pyarrow.Array.from_buffers(pyarrow.string(), 3, column.buffers())
    records = read(tmp_path / "a.parquet", parquet({"text": text}))
    assert texts(records) == ROWS
    assert bad(records) == [("a.parquet:2", "byte 0 (0xff) is neither UTF-8 nor CP949")]


def test_more_rows_than_a_batch_keep_their_numbers(tmp_path):
    records = read(
        tmp_path / "a.parquet", parquet({"text": [str(number) for number in range(150)]})
    )
    assert [(record.where, record.text) for record in records] == [
        (f"a.parquet:{number + 1}", str(number)) for number in range(150)
    ]


def test_a_column_of_numbers_and_a_file_that_is_no_parquet_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds no text .*Name columns of text in source 's'"):
        read(tmp_path / "a.parquet", parquet({"text": [1.5]}))
    with pytest.raises(UserError, match="damaged"):
        read(tmp_path / "a.parquet", b"PAR1 no such thing PAR1")
