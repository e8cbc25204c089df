"""Tables: quotes quote in .csv and are text in .tsv; a bad row takes no other along."""

import pytest

from corpora.errors import UserError
from tests.corpora.sources.reading import bad, read, texts


def test_csv_keeps_quoted_newlines_and_tsv_keeps_quotes(tmp_path):
    records = read(tmp_path / "a.csv", 'text,id\n"가\n""나""",1\n다\n라,2\n'.encode())
    assert texts(records) == ['가\n"나"', "라"]
    assert bad(records) == [("a.csv:4", "1 fields under 2 columns")]
    assert texts(read(tmp_path / "a.tsv", 'text\tid\n"가\t1\n나"\t2\n'.encode())) == ['"가', '나"']


def test_a_bare_carriage_return_is_a_space(tmp_path):
    assert texts(read(tmp_path / "a.csv", "text\n가\r나\n다\n".encode())) == ["가 나", "다"]


def test_a_row_that_is_no_csv_and_a_line_that_is_no_text_are_bad_alone(tmp_path):
    data = (
        'text,id\n"가"x,1\n나,2\n'.encode() + b"\xff\xff\x80,3\n" + "다,4\n".encode() + b"\xff\x80"
    )
    records = read(tmp_path / "a.csv", data)
    assert texts(records) == ["나", "다"]
    assert [where for where, _ in bad(records)] == ["a.csv:2", "a.csv:4", "a.csv:6"]
    assert bad(records)[0][1].startswith("not CSV")


def test_a_quote_that_is_never_closed_is_refused_with_its_place(tmp_path):
    with pytest.raises(UserError, match=r"a quote after .*a\.csv:2 is never closed"):
        read(tmp_path / "a.csv", 'text,label\n가,1\n나,"열린 인용\n다,2\n라,3\n'.encode())
