"""Compressed files are read whole or refused; lines end in \\n alone; a bad one stays alone."""

import bz2
import gzip
import lzma

import pyarrow
import pytest

from corpora.errors import UserError
from corpora.sources.records import MAX_RECORD
from corpora.sources.streams import open_stream, read_lines, to_utf_8
from tests.corpora.sources.reading import ROWS, bad, json_lines, read, texts


def compress_zstd(data):
    return pyarrow.compress(data, "zstd", asbytes=True)


@pytest.mark.parametrize(
    "suffix, compress",
    [
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        (".zst", compress_zstd),
    ],
)
def test_compressed_files_are_read_and_truncated_ones_are_refused_by_name(
    tmp_path, suffix, compress
):
    rows = [{"text": f"{row} {number}"} for number in range(3000) for row in ROWS]
    data = compress(json_lines(*rows))
    path = tmp_path / f"a.jsonl{suffix}"
    assert texts(read(path, data)) == [row["text"] for row in rows]
    assert len(texts(read(path, data + data))) == 2 * len(rows)
    with pytest.raises(UserError, match=rf"a\.jsonl{suffix}: damaged or cut short"):
        read(path, data[: len(data) // 2])
    with pytest.raises(UserError, match=rf"a\.jsonl{suffix}: misnamed or damaged"):
        read(path, b"\0\1\2\3 no such thing" * 50)


def lines_of(path, data):
    path.write_bytes(data)
    with open_stream(path) as stream:
        return list(read_lines(to_utf_8(stream), "a"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_lines_are_read_in_every_encoding(tmp_path, encoding):
    assert texts(lines_of(tmp_path / "a", "\n".join(ROWS).encode(encoding))) == ROWS


def test_a_bare_carriage_return_and_other_line_ends_end_no_line(tmp_path):
    line = "가\r나\x85다\u2028라\x0b마"
    assert texts(lines_of(tmp_path / "a", f"{line}\r\n끝".encode())) == [line, "끝"]


def test_one_line_in_another_encoding_takes_no_other_line_along(tmp_path):
    good = ROWS[0].encode()
    data = b"\n".join([good, ROWS[1].encode("cp949"), b"\xff\xff\x80", good])
    lines = lines_of(tmp_path / "a", data)
    assert texts(lines) == [ROWS[0], ROWS[1], ROWS[0]]
    assert bad(lines) == [("a:3", "byte 0 (0xff) is neither UTF-8 nor CP949")]


def test_a_line_that_begins_like_utf_16_is_bad_in_a_file_that_is_none(tmp_path):
    lines = lines_of(tmp_path / "a", b"a\n\xff\xfe\x00\xac\x01\xac\nb\n")
    assert texts(lines) == ["a", "b"]
    assert bad(lines) == [("a:2", "byte 0 (0xff) is neither UTF-8 nor CP949")]


@pytest.mark.parametrize("unit", ["file", "line"])
def test_half_a_surrogate_pair_in_utf_16_costs_its_line_alone(tmp_path, unit):
    data = "가\n나\ud800\n다".encode("utf-16", "surrogatepass")
    records = read(tmp_path / "a.txt", data, unit=unit)
    assert "\n".join(texts(records)).split() == ["가", "다"]
    assert [where for where, _ in bad(records)] == ["a.txt:2"]


def test_utf_16_that_ends_in_half_a_character_is_refused(tmp_path):
    with pytest.raises(UserError, match="damaged"):
        read(tmp_path / "a.txt", "가나다\n라".encode("utf-16")[:-1], unit="line")


def test_a_longer_line_than_the_cap_is_rejected_alone(tmp_path):
    lines = lines_of(tmp_path / "a", b"a\n" + b"x" * (2 * MAX_RECORD + 5) + b"\nb\n")
    assert texts(lines) == ["a", "b"]
    assert bad(lines) == [("a:2", f"longer than {MAX_RECORD >> 20} MB")]
