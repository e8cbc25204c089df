"""A file's reader goes by its format, and every reader gives the same documents, in flat memory."""

import gzip
import json
import tracemalloc

import pytest

from corpora.errors import UserError
from corpora.sources.read import read_file
from tests.corpora.small_recipe import make_source
from tests.corpora.sources.reading import ROWS, bad, json_lines, parquet, read, texts

CSV = "id,text\r\n" + "".join(f'1,"{row}"\r\n' for row in ROWS)
TSV = "id\ttext\n" + "".join(f"1\t{row}\n" for row in ROWS)


@pytest.mark.parametrize(
    "name, data, settings",
    [
        ("a.jsonl", json_lines(*[{"text": row} for row in ROWS]), {}),
        ("a.json", json_lines(*[{"text": row} for row in ROWS]), {}),
        ("b.json", json.dumps([{"text": row} for row in ROWS]).encode(), {}),
        ("a.csv", CSV.encode(), {}),
        ("a.tsv", TSV.encode(), {}),
        ("a.parquet", parquet({"id": [1, 2], "text": ROWS}), {}),
        ("a.txt", "\n".join(ROWS).encode(), {"unit": "line"}),
        ("a.TXT.gz", gzip.compress("\n\n \n\n".join(ROWS).encode(), mtime=0), {"unit": "block"}),
        (
            "a.data",
            json_lines(*[{"본문": row} for row in ROWS]),
            {"format": "jsonl", "text": "본문"},
        ),
    ],
)
def test_every_format_gives_the_same_documents(tmp_path, name, data, settings):
    assert texts(read(tmp_path / name, data, **settings)) == ROWS


def test_empty_files_are_bad_records_not_silence(tmp_path):
    for name in ("a.txt", "a.jsonl", "a.parquet", "a.csv"):
        assert bad(read(tmp_path / name, b"")) == [(name, "empty file")]
    packed = gzip.compress(b"", mtime=0)
    assert bad(read(tmp_path / "a.jsonl.gz", packed)) == [("a.jsonl.gz", "empty file")]


@pytest.mark.parametrize(
    "name, settings",
    [("a.txt", {}), ("a.txt", {"unit": "line"}), ("a.txt", {"unit": "block"})]
    + [(name, {}) for name in ("a.md", "a.jsonl", "a.csv", "a.tsv")],
)
def test_a_file_of_blank_lines_says_that_there_is_no_text_in_it(tmp_path, name, settings):
    for data in (b"\n \n\n", "\n\n".encode("utf-16")):
        assert bad(read(tmp_path / name, data, **settings)) == [(name, "no text in it")]


def test_a_file_whose_rows_are_all_left_out_by_only_is_not_blank(tmp_path):
    rows = json_lines({"id": "b", "text": "가"})
    assert read(tmp_path / "a.jsonl", rows, only=("a",)) == []


def test_a_file_of_unknown_format_is_refused(tmp_path):
    with pytest.raises(UserError, match="set format in source 's'"):
        read(tmp_path / "a.hwp", b"x")


def test_reading_a_large_file_takes_little_memory(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json_lines(*[{"text": ROWS[0] * 50}] * 20000), 1, mtime=0))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_file(make_source(), path, "a")) == 20000
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
