"""A file that can't be read is called what it is, with what to do; text is never taken for one."""

import bz2
import gzip
import io
import lzma
import sqlite3

import pyarrow
import pytest

from corpora.errors import UserError
from corpora.sources.recognise import KINDS, recognise
from tests.corpora.sources.packing import pack_tar, pack_zip
from tests.corpora.sources.reading import ROWS, bad, json_lines, parquet, read, texts


def arrow(make):
    table = pyarrow.table({"text": ROWS})
    sink = io.BytesIO()
    with make(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def database():
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (text)")
    data = connection.serialize()
    connection.close()
    return data


def stored_first(name, data=b""):
    return pack_zip({name: data, "content.xml": b"<a/>"}, compression=0)


FILES = [
    (stored_first("mimetype", b"application/hwp+zip"), "an HWPX document", "Hangul"),
    (stored_first("mimetype", b"application/epub+zip"), "an EPUB book", "ebook-convert"),
    (stored_first("[Content_Types].xml"), "an Office document", ".csv"),
    (stored_first("word/document.xml"), "an Office document", ".txt"),
    (
        stored_first("mimetype", b"application/vnd.oasis.opendocument.text"),
        "an OpenDocument",
        ".txt",
    ),
    (pack_zip({"a.txt": b"a"}), "a zip archive", "end in .zip"),
    (pack_zip({}), "a zip archive", "end in .zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "an HWP document", "hwp5txt"),
    (b"HWP Document File V3.00 \x1a\1\2\3", "an HWP document (Hangul 3)", "Hangul"),
    (b"%PDF-1.7\n%\xe2\xe3", "a PDF document", "pdftotext"),
    (rb"{\rtf1\ansi", "an RTF document", ".txt"),
    (gzip.compress(b"a"), "a gzip file", "end in .gz"),
    (bz2.compress(b"a"), "a bzip2 file", "end in .bz2"),
    (bz2.compress(b""), "a bzip2 file", "end in .bz2"),
    (lzma.compress(b"a"), "an xz file", "end in .xz"),
    (pyarrow.compress(b"a", "zstd", asbytes=True), "a zstd file", "end in .zst"),
    (pack_tar({"a.txt": b"a"}), "a tar archive", "end in .tar"),
    (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive", "Unpack"),
    (b"Rar!\x1a\x07\x01\0", "a RAR archive", "Unpack"),
    (b"ALZ\x01\x0a\0\0\0", "an ALZ archive", "Unpack"),
    (b"EGGA\x00\x01\x01\x02", "an EGG archive", "Unpack"),
    (parquet({"text": ROWS}), "a Parquet file", "end in .parquet"),
    (arrow(pyarrow.ipc.new_file), "an Arrow file", "to_parquet"),
    (arrow(pyarrow.ipc.new_stream), "an Arrow file", "to_parquet"),
    (database(), "an SQLite database", ".csv"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture", "paths"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture", "paths"),
    (b"GIF89a\x10\0\x10\0", "a picture", "paths"),
    (b"RIFF\x24\0\0\0WEBPVP8 ", "a picture", "paths"),
    (b"RIFF\x24\0\0\0WAVEfmt ", "a picture, sound or video", "paths"),
    (b"ID3\x03\0\0\0", "a picture, sound or video", "paths"),
    (b"\0\0\0\x18ftypmp42\0\0\0\0", "a picture, sound or video", "paths"),
    ("\ufeff<!DOCTYPE html><html>글".encode(), "an HTML page", "trafilatura"),
    (b'<?xml version="1.0"?>\n<!-- a --><HTML lang="ko">', "an HTML page", "trafilatura"),
    (b'<?xml version="1.0"?><HWPML>', "an XML file", ".jsonl"),
]


@pytest.mark.parametrize("data, name, advice", FILES, ids=[f"{row[1]}" for row in FILES])
def test_each_kind_is_known_by_its_first_bytes(data, name, advice):
    kind = recognise(data)
    assert kind is not None
    assert kind.name.startswith(name)
    assert advice in kind.advice


def test_every_row_of_the_table_is_tried_above():
    tried = {recognise(data) for data, _, _ in FILES}
    assert tried == set(KINDS)


@pytest.mark.parametrize(
    "text",
    [
        "ID3 태그는 음악 파일에 든다.",
        "GIF89a는 그림의 형식이다.",
        "PK라는 말",
        "MZ세대가 온다.",
        "BZh는 무엇인가",
        "7z로 묶은 파일",
        "<p>글</p>",
        "",
        "\ufeff글",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16"])
def test_text_is_none_of_them(text, encoding):
    assert recognise(text.encode(encoding, "ignore")) is None


NO_TEXTS = [row for row in FILES if "text" not in row[1]]


@pytest.mark.parametrize("data, name, advice", NO_TEXTS, ids=[f"{row[1]}" for row in NO_TEXTS])
def test_a_file_of_unknown_suffix_says_what_it_is_and_what_to_do(tmp_path, data, name, advice):
    with pytest.raises(UserError) as caught:
        read(tmp_path / "a.bin", data)
    assert f"a.bin: {name}" in str(caught.value)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    "name, settings",
    [("a.jsonl", {}), ("a.csv", {}), ("a.txt", {"unit": "line"}), ("a.parquet", {})],
)
def test_a_file_that_is_another_kind_than_its_name_says_stops_with_one_message(
    tmp_path, name, settings
):
    data = gzip.compress(json_lines({"text": "글"}))
    with pytest.raises(UserError, match=rf"{name}: a gzip file, not .*end in \.gz"):
        read(tmp_path / name, data, **settings)


def test_a_document_that_is_no_text_is_one_bad_record_named_for_what_it_is(tmp_path):
    [(where, reason)] = bad(read(tmp_path / "a.txt", pack_zip({"b.txt": b"b"})))
    assert where == "a.txt"
    assert reason == "a zip archive, not txt. Let its name end in .zip, which says how it is read"


def test_a_page_of_html_in_a_text_file_is_text(tmp_path):
    page = "<html><body>글</body></html>"
    assert texts(read(tmp_path / "a.txt", page.encode())) == [page]


@pytest.mark.parametrize(
    "name, data, found",
    [
        ("a.jsonl.gz", json_lines({"text": "글"}), "a gzip file, but begins like plain text"),
        ("a.jsonl.zst", gzip.compress(b"a"), "a zstd file, but begins like a gzip file"),
        ("a.xml.bz2", b"<!doctype html>", "a bzip2 file, but begins like an HTML page"),
        ("a.zip", b"Rar!\x1a\x07\x01\0", "a zip archive, but begins like a RAR archive"),
        ("a.zip", b"not found", "a zip archive, but begins like plain text"),
        ("a.tar", pack_tar({"a.txt": b"a"}, "w:gz"), "a tar archive, but begins like a gzip file"),
        ("a.tgz", pack_tar({"a.txt": b"a"}), "a gzip file, but begins like a tar archive"),
    ],
    ids=lambda value: value if isinstance(value, str) else "data",
)
def test_a_container_that_is_another_than_its_suffix_says_is_named(tmp_path, name, data, found):
    with pytest.raises(UserError, match=rf"{name}: misnamed or damaged: it should be {found}"):
        read(tmp_path / name, data)
