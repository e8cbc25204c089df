"""Every format, compression and encoding is read; what can't be read is told apart and never takes good lines along."""
import bz2
import gzip
import io
import json
import lzma
import tracemalloc

import pyarrow
import pyarrow.parquet
import pytest

from corpora.errors import UserError
from corpora.recipe import Source
from corpora.sources.read import read_file
from corpora.sources.records import MAX_RECORD

ROWS = ["대한민국은 민주공화국이다.", "모든 국민은 법 앞에 평등하다."]


def source(**settings):
    return Source(**{"name": "s", "kind": "files", "licence": "mine", "paths": ("*",), **settings})


def read(path, data, **settings):
    path.write_bytes(data)
    return list(read_file(source(**settings), path, path.name))


def texts(records):
    return [record.text for record in records if not record.reason]


def bad(records):
    return [(record.where, record.reason) for record in records if record.reason]


def jsonl(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def parquet(columns):
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink)
    return sink.getvalue()


@pytest.mark.parametrize("name, data, settings", [
    ("a.jsonl", jsonl(*[{"text": row} for row in ROWS]), {}),
    ("a.csv", ("id,text\r\n" + "".join(f'1,"{row}"\r\n' for row in ROWS)).encode(), {}),
    ("a.tsv", ("id\ttext\n" + "".join(f"1\t{row}\n" for row in ROWS)).encode(), {}),
    ("a.parquet", parquet({"id": [1, 2], "text": ROWS}), {}),
    ("a.txt", "\n".join(ROWS).encode(), {"unit": "line"}),
    ("a.txt", "\n\n \n\n".join(ROWS).encode(), {"unit": "block"}),
    ("a.data", jsonl(*[{"본문": row} for row in ROWS]), {"format": "jsonl", "text": "본문"}),
])
def test_every_format_gives_the_same_documents(tmp_path, name, data, settings):
    assert texts(read(tmp_path / name, data, **settings)) == ROWS


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_a_whole_file_is_one_document(tmp_path, name):
    assert texts(read(tmp_path / name, "\n\n".join(ROWS).encode())) == ["\n\n".join(ROWS)]


def compress_zstd(data):
    return pyarrow.compress(data, "zstd", asbytes=True)


def test_a_quote_that_is_never_closed_is_refused_with_its_place(tmp_path):
    with pytest.raises(UserError, match=r"a quote after .*a\.csv:2 is never closed"):
        read(tmp_path / "a.csv", 'text,label\n가,1\n나,"열린 인용\n다,2\n라,3\n'.encode())


def test_utf_16_that_ends_in_half_a_character_is_refused(tmp_path):
    with pytest.raises(UserError, match="damaged"):
        read(tmp_path / "a.txt", "가나다\n라".encode("utf-16")[:-1], unit="line")


@pytest.mark.parametrize("suffix, compress", [
    (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress), (".zst", compress_zstd)])
def test_compressed_files_are_read_and_truncated_ones_are_refused_by_name(tmp_path, suffix, compress):
    rows = [{"text": f"{row} {number}"} for number in range(3000) for row in ROWS]
    data = compress(jsonl(*rows))
    assert texts(read(tmp_path / f"a.jsonl{suffix}", data)) == [row["text"] for row in rows]
    assert len(texts(read(tmp_path / f"a.jsonl{suffix}", data + data))) == 2 * len(rows)
    with pytest.raises(UserError, match=rf"a\.jsonl{suffix}: damaged or cut short"):
        read(tmp_path / f"a.jsonl{suffix}", data[:len(data) // 2])
    with pytest.raises(UserError, match=rf"a\.jsonl{suffix}: damaged or cut short"):
        read(tmp_path / f"a.jsonl{suffix}", b"\0\1\2\3 no such thing" * 50)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_text_is_decoded_by_its_mark_as_utf8_or_as_cp949(tmp_path, encoding):
    data = "\n".join(ROWS).encode(encoding)
    assert texts(read(tmp_path / "a.txt", data)) == ["\n".join(ROWS)]
    assert texts(read(tmp_path / "a.txt", data, unit="line")) == ROWS


def test_one_line_in_another_encoding_takes_no_other_line_along(tmp_path):
    data = b"\n".join([ROWS[0].encode(), ROWS[1].encode("cp949"), b"\xff\xff\x80", ROWS[0].encode()])
    records = read(tmp_path / "a.txt", data, unit="line")
    assert texts(records) == [ROWS[0], ROWS[1], ROWS[0]]
    assert bad(records) == [("a.txt:3", "neither UTF-8 nor CP949")]


def test_bad_json_lines_are_told_apart_and_the_good_ones_stay(tmp_path):
    lines = [b'{"text": "\xea\xb0\x80"}', b"{", b"[1]", b'{"txt": "a"}', b'{"text": null}', b'{"text": "\\ud800"}',
             b"", b'{"text": "\xeb\x82\x98"}']
    records = read(tmp_path / "a.jsonl", b"\n".join(lines))
    assert texts(records) == ["가", "나"]
    assert [where for where, _ in bad(records)] == [f"a.jsonl:{number}" for number in (2, 3, 4, 5, 6)]
    reasons = [reason for _, reason in bad(records)]
    assert reasons[0].startswith("not JSON")
    assert reasons[1:] == ["not an object", "no 'text'; the keys are 'txt'", "'text' or its title is no text",
                           "lone surrogate"]
    assert all(record.text.encode() for record in records)


def test_a_bare_carriage_return_and_other_line_ends_split_no_document(tmp_path):
    line = "가\r나\x85다\u2028라\x0b마"
    assert texts(read(tmp_path / "a.txt", f"{line}\r\n끝".encode(), unit="line")) == [line, "끝"]
    assert texts(read(tmp_path / "a.jsonl", jsonl({"text": line}))) == [line]
    assert texts(read(tmp_path / "a.csv", "text\n가\r나\n다\n".encode())) == ["가 나", "다"]


def test_nuls_are_stripped_and_binary_files_are_refused(tmp_path):
    assert texts(read(tmp_path / "a.txt", "가\0나".encode())) == ["가나"]
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40 + b"\0" * 900
    assert bad(read(tmp_path / "a.txt", picture))[0][1].startswith("binary")


def test_empty_files_are_bad_records_not_silence(tmp_path):
    for name in ("a.txt", "a.jsonl", "a.parquet", "a.csv"):
        assert bad(read(tmp_path / name, b"")) == [(name, "empty file")]
    assert bad(read(tmp_path / "a.jsonl.gz", gzip.compress(b""))) == [("a.jsonl.gz", "empty file")]


def test_a_wrong_column_name_lists_the_columns_there_are(tmp_path):
    for name, data in (("a.csv", b"id,body\n1,x\n"), ("a.parquet", parquet({"id": [1], "body": ["x"]}))):
        with pytest.raises(UserError, match=r"the columns are 'id', 'body'"):
            read(tmp_path / name, data)
    with pytest.raises(UserError, match="holds no text"):
        read(tmp_path / "a.parquet", parquet({"text": [1.5]}))


def test_a_parquet_row_that_is_no_utf8_is_one_bad_record(tmp_path):
    column = pyarrow.array([ROWS[0].encode(), b"\xff\xff", ROWS[1].encode()], pyarrow.binary())
    text = pyarrow.Array.from_buffers(pyarrow.string(), 3, column.buffers())
    records = read(tmp_path / "a.parquet", parquet({"text": text}))
    assert texts(records) == ROWS
    assert bad(records) == [("a.parquet:2", "neither UTF-8 nor CP949")]
    with pytest.raises(UserError, match="damaged"):
        read(tmp_path / "a.parquet", b"PAR1 no such thing PAR1")


def test_csv_keeps_quoted_newlines_and_tsv_keeps_quotes(tmp_path):
    records = read(tmp_path / "a.csv", 'text,id\n"가\n""나""",1\n다\n라,2\n'.encode())
    assert texts(records) == ['가\n"나"', "라"]
    assert bad(records) == [("a.csv:4", "1 fields under 2 columns")]
    assert texts(read(tmp_path / "a.tsv", 'text\tid\n"가\t1\n나"\t2\n'.encode())) == ['"가', '나"']


def test_a_26_mb_line_is_read_and_a_longer_one_than_the_cap_is_rejected_alone(tmp_path):
    long = "가" * (26 * 1000 * 1000 // 3)
    assert texts(read(tmp_path / "a.jsonl", jsonl({"text": long}, {"text": "나"}))) == [long, "나"]
    data = jsonl({"text": "가"}) + b"x" * (2 * MAX_RECORD + 5) + b"\n" + jsonl({"text": "나"})
    records = read(tmp_path / "a.jsonl", data)
    assert texts(records) == ["가", "나"]
    assert bad(records) == [("a.jsonl:2", f"longer than {MAX_RECORD >> 20} MB")]


def test_reading_a_large_file_takes_little_memory(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(jsonl(*[{"text": ROWS[0] * 50}] * 20000), 1))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_file(source(), path, "a")) == 20000
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_only_takes_the_rows_with_these_names_and_counts_no_other(tmp_path):
    rows = [("wiki-1", ROWS[0]), ("news-2", "뉴스"), ("book-3", ROWS[1])]
    only = {"only": ("wiki-", "book-"), "id": "guid"}
    named = [{"guid": name, "text": text} for name, text in rows]
    for name, data in (("a.jsonl", jsonl(*named)), ("a.parquet", parquet(dict(guid=[n for n, _ in rows],
                                                                               text=[t for _, t in rows]))),
                       ("a.csv", "guid,text\n" + "".join(f"{n},{t}\n" for n, t in rows)),
                       ("a.tsv", "text\tguid\n" + "".join(f"{t}\t{n}\n" for n, t in rows))):
        records = read(tmp_path / name, data.encode() if isinstance(data, str) else data, **only)
        assert texts(records) == ROWS and not bad(records)
        assert len(texts(read(tmp_path / name, tmp_path.joinpath(name).read_bytes()))) == 3


def test_a_row_without_the_name_that_only_needs_is_bad_and_a_table_without_it_is_refused(tmp_path):
    rows = [{"id": "wiki-1", "text": "가"}, {"text": "나"}, {"id": 3, "text": "다"}]
    records = read(tmp_path / "a.jsonl", jsonl(*rows), only=("wiki-",))
    assert texts(records) == ["가"]
    assert bad(records) == [(f"a.jsonl:{number}", "no text in 'id', which only = needs") for number in (2, 3)]
    for name, data in (("a.csv", b"name,text\n1,x\n"), ("a.parquet", parquet({"name": ["1"], "text": ["x"]}))):
        with pytest.raises(UserError, match=r"says id = 'id', but the columns are 'name', 'text'"):
            read(tmp_path / name, data, only=("wiki-",))
