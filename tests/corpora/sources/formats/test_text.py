"""A .txt file is one document, or one a line or block; Markdown is always one."""

import pytest

from corpora.sources import records as records_module
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
    assert texts(records) == ["가\n나", "다\n\n라"]
    assert [record.where for record in records] == ["a.txt:2", "a.txt:7", "a.txt:6"]
    assert bad(records) == [("a.txt:7", "byte 0 (0xff) is neither UTF-8 nor CP949")]


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


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_of_a_whole_text_only_the_damaged_line_goes(tmp_path, name, encoding):
    head = "첫째 줄\n둘째 ".encode(encoding)
    data = head + b"\xff\xff\n" + "셋째 줄\n넷째".encode(encoding.removesuffix("-sig"))
    damaged, document = read(tmp_path / name, data)
    assert document[:5] == (name, "첫째 줄\n\n셋째 줄\n넷째", "", "", 3)
    assert damaged.where == f"{name}:2"
    assert damaged.reason == f"byte {len(head)} of the file (0xff) is neither UTF-8 nor CP949"
    assert damaged.num_lines == 1


def test_a_line_of_another_encoding_stays_in_a_whole_text(tmp_path):
    lines = [row.encode() for row in ROWS]
    data = b"\n".join([*lines, "치타는 빠르다.".encode("cp949"), *lines, b""])
    [document] = read(tmp_path / "a.txt", data)
    assert document.text == "\n".join([*ROWS, "치타는 빠르다.", *ROWS])
    assert document.num_lines == 5


def test_a_damaged_cp949_file_is_read_as_if_it_were_whole(tmp_path):
    """치타 in CP949 is valid UTF-8, too; by itself that line would become two foreign letters."""
    lines = [*ROWS, "치타", "", "하마", *ROWS]
    undamaged = "\n".join(lines).encode("cp949")
    [whole] = read(tmp_path / "a.txt", undamaged)
    assert whole.text == "\n".join(lines)
    damaged = read(tmp_path / "a.txt", undamaged + b"\n\xff")
    assert texts(damaged) == ["\n".join([*lines, ""])]
    assert [where for where, _ in bad(damaged)] == ["a.txt:8"]


def test_a_text_of_one_damaged_line_is_one_bad_record(tmp_path):
    records = read(tmp_path / "a.txt", "글".encode() + b"\xff")
    assert bad(records) == [
        ("a.txt:1", "byte 3 of the file (0xff) is neither UTF-8 nor CP949"),
    ]
    assert not texts(records)


def test_a_file_most_of_whose_lines_are_bad_is_refused_as_a_whole_and_counts_by_its_lines(tmp_path):
    data = "글\n".encode() + b"\xff\xff\n" * 3 + "글".encode()
    [refused] = read(tmp_path / "a.txt", data)
    place = "byte 4 of the file (0xff)"
    reason = f"{place} is neither UTF-8 nor CP949, as are most of its lines"
    assert (refused.where, refused.reason, refused.num_lines) == ("a.txt", reason, 5)


def test_a_whole_text_that_is_too_long_counts_by_its_lines(tmp_path, monkeypatch):
    for module in (text, records_module):
        monkeypatch.setattr(module, "MAX_RECORD", 10)
    [refused] = read(tmp_path / "a.txt", b"a\n" * 50)
    assert refused.reason.startswith("longer than")
    assert refused.num_lines == 51
