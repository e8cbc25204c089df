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


@pytest.mark.parametrize("delimiter", [";", "|", "\t", "¦"])
def test_columns_may_stand_between_other_characters(tmp_path, delimiter):
    data = 'id;text\n1;가\n2;"나; ""다"""\n3;라;마\n'.replace(";", delimiter)
    records = read(tmp_path / "a.csv", data.encode(), delimiter=delimiter)
    assert texts(records) == ["가", f'나{delimiter} "다"']
    assert bad(records) == [("a.csv:4", "3 fields under 2 columns")]


@pytest.mark.parametrize("name, tab", [("a.csv", ","), ("a.tsv", "\t")])
def test_a_file_without_a_header_has_the_columns_that_the_source_names(tmp_path, name, tab):
    rows = [["1", "가", "0"], ["2", "나"], ["3", "다", "1"]]
    data = "\n".join(tab.join(row) for row in rows).encode()
    records = read(tmp_path / name, data, columns=("id", "body", "label"), text="body")
    assert texts(records) == ["가", "다"]
    assert bad(records) == [(f"{name}:2", "2 fields under 3 columns")]


def test_a_header_where_the_source_says_that_there_is_none_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"a\.csv:1: source 's' names columns .* Leave columns out"):
        read(tmp_path / "a.csv", "id,text\n1,가\n".encode(), columns=("id", "text"))


def test_columns_without_the_one_that_holds_the_text_are_refused(tmp_path):
    with pytest.raises(UserError, match="says text = 'text', but the columns are 'id', 'body'"):
        read(tmp_path / "a.csv", "1,가\n".encode(), columns=("id", "body"))


@pytest.mark.parametrize(
    "name, header, hint",
    [
        ("a.csv", "id;text", "This one column holds ';': set delimiter = \";\"."),
        ("a.csv", "id|text", "This one column holds '|': set delimiter = \"|\"."),
        ("a.csv", "id\ttext", 'This one column holds a tab: set format = "tsv".'),
        ("a.tsv", "id,text", "This one column holds ',': set format = \"csv\"."),
        ("a.tsv", "id;text", """This one column holds ';': set format = "csv" and """),
        ("a.csv", "1,재밌다", "If the first line is no header, name the columns: columns = [...]."),
    ],
)
def test_a_header_that_was_cut_wrongly_says_what_to_set(tmp_path, name, header, hint):
    with pytest.raises(UserError) as error:
        read(tmp_path / name, f"{header}\n1,2\n".encode())
    assert f"set text to the right one. {hint}" in str(error.value)


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(UserError, match="there are 2 columns of this name: 'text', 'text'"):
        read(tmp_path / "a.csv", "text,text\n가,나\n".encode())
