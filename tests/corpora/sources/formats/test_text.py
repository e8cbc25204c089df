"""A .txt file is one document, or one a line or block; Markdown is always one."""

import pytest

from corpora.sources.formats import text
from tests.corpora.sources.reading import ROWS, bad, read, texts


@pytest.mark.parametrize("name, unit", [("a.txt", "file"), ("a.md", "file"), ("a.md", "line")])
def test_a_whole_file_is_one_document(tmp_path, name, unit):
    assert texts(read(tmp_path / name, "\n\n".join(ROWS).encode(), unit=unit)) == [
        "\n\n".join(ROWS)
    ]


def test_every_line_that_is_not_blank_is_a_document(tmp_path):
    records = read(tmp_path / "a.txt", "가\n\n \n나\r\n".encode(), unit="line")
    assert [(record.where, record.text) for record in records] == [
        ("a.txt:1", "가"),
        ("a.txt:4", "나"),
    ]


def test_a_block_goes_to_the_next_blank_line_and_over_a_bad_one(tmp_path):
    data = "\n가\n나\n \n\n다\n".encode() + b"\xff\xff\x80\n" + "라".encode()
    records = read(tmp_path / "a.txt", data, unit="block")
    assert texts(records) == ["가\n나", "다\n라"]
    assert [record.where for record in records] == ["a.txt:2", "a.txt:7", "a.txt:6"]
    assert bad(records) == [("a.txt:7", "neither UTF-8 nor CP949")]


def test_a_block_without_end_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "MAX_BLOCK", 3)
    assert texts(read(tmp_path / "a.txt", "가나\n다라\n마".encode(), unit="block")) == [
        "가나\n다라",
        "마",
    ]


def test_a_binary_file_is_refused(tmp_path):
    data = bytes(range(256)) * 40 + b"\0" * 900
    [(where, reason)] = bad(read(tmp_path / "a.txt", data))
    assert where == "a.txt"
    assert reason.startswith("binary")
