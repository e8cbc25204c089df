"""Bytes become text by their mark, as UTF-8 or as CP949; what is no text is told apart."""

import pytest

from corpora.sources.records import EXCERPT, MAX_RECORD, bad_record, decode, to_record
from tests.corpora.sources.reading import ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_text_is_decoded_by_its_mark_as_utf_8_or_as_cp949(encoding):
    assert decode("\n".join(ROWS).encode(encoding)) == "\n".join(ROWS)


def test_nuls_are_stripped():
    assert decode("가\0나".encode()) == "가나"


@pytest.mark.parametrize(
    "raw, reason",
    [
        (b"\xff\xff\x80", "byte 0 (0xff) is neither UTF-8 nor CP949"),
        ("가나".encode() + b"\xff", "byte 6 (0xff) is neither UTF-8 nor CP949"),
        ("가나 다".encode("cp949") + b"\xff", "byte 7 (0xff) is neither UTF-8 nor CP949"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 900, "binary: more than one NUL in a hundred bytes"),
        (b"\x01\x02" + "글".encode("cp949") * 9, "binary: more than one control character in"),
        (b"x" * (MAX_RECORD + 1), f"longer than {MAX_RECORD >> 20} MB"),
    ],
)
def test_what_is_no_text_is_a_bad_record_with_its_reason_and_start(raw, reason):
    record = to_record("a:1", raw)
    assert record.where == "a:1"
    assert record.reason.startswith(reason)
    assert record.text.startswith(raw[:EXCERPT].decode("utf-8", "backslashreplace")[:9])


def test_a_bad_records_text_is_short_and_can_be_written_as_utf_8():
    assert bad_record("a:1", "long", "가" * 2 * EXCERPT).text == "가" * EXCERPT
    assert bad_record("a:1", "lone surrogate", "가\ud800").text == "가\\ud800"
    assert bad_record("a:1", "no UTF-8", b"a\xff").text == "a\\xff"
