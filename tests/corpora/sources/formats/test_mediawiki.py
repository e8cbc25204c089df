"""Of a dump come its articles as text, by their titles; what is no article is left out, what can't
be read is told."""

import bz2
import gzip
import tracemalloc

import pytest

from corpora.errors import UserError
from corpora.sources.formats import mediawiki
from corpora.sources.read import read_file
from corpora.sources.records import TOO_LONG, Record
from tests.corpora.small_recipe import make_source
from tests.corpora.sources.formats.dump import END, HEAD, dump, page, revision
from tests.corpora.sources.reading import ROWS, bad, read, texts

ARTICLE = """{{정보상자
| 이름 = 서울 {{lang|en|Seoul}}
}}
[[자료:서울.jpg|섬네일|[[서울]]의 모습]]
'''서울'''(서울特別市, {{llang|en|Seoul}})은 [[대한민국]]의 \
[[수도 (정치)|수도]]이다.<ref>{{책|a}}</ref>

== 인구 ==
{| class="wikitable"
| 2020 || 천만
|}
천만 명이 산다 & 많다.

== 각주 ==
{{각주}}
[[갈래:도시]]
"""
TEXT = "서울(서울特別市, Seoul)은 대한민국의 수도이다.\n\n인구\n\n천만 명이 산다 & 많다."
PAGES = [
    page("서울 & <부산>", 5, ARTICLE),
    page("한성", 6, "#넘겨주기 [[서울]]", redirect="서울"),
    page("토론:서울", 7, "서명", namespace=1),
    page("자료:서울.jpg", 8, "사진", namespace=6),
    page("모듈", 9, "return {}", model="Scribunto"),
    page("빈 글", 10, "{{틀만}}"),
    page("부산", 11, ROWS[0]),
]


@pytest.mark.parametrize(
    "name, compress",
    [
        ("a.xml", bytes),
        ("a.xml.gz", gzip.compress),
        ("kowiki-latest-pages-articles.xml.bz2", bz2.compress),
    ],
)
def test_articles_come_with_their_titles_and_ids_and_nothing_else_does(tmp_path, name, compress):
    records = read(tmp_path / name, compress(dump(*PAGES)))
    assert records == [
        Record(f"{name}:5", TEXT, "서울 & <부산>"),
        Record(f"{name}:10", ""),
        Record(f"{name}:11", ROWS[0], "부산"),
    ]


def test_a_dump_of_several_bzip2_streams_is_read_whole(tmp_path):
    streams = [HEAD, *PAGES, END]
    data = b"".join(bz2.compress(stream.encode()) for stream in streams)
    assert len(read(tmp_path / "a-multistream.xml.bz2", data)) == 3


def test_a_dump_saved_as_utf_16_is_read_whatever_its_declaration_says(tmp_path):
    data = f'<?xml version="1.0" encoding="UTF-16"?>{dump(PAGES[-1]).decode()}'.encode("utf-16")
    assert texts(read(tmp_path / "a.xml", data)) == [ROWS[0]]


def test_of_several_revisions_the_last_one_counts(tmp_path):
    both = PAGES[-1].replace("</page>", revision(2000, ROWS[1]) + "</page>")
    [record] = read(tmp_path / "a.xml", dump(both))
    assert record == Record("a.xml:11", ROWS[1], "부산")


def test_an_old_dump_without_namespaces_and_models_is_read(tmp_path):
    old = "<page><title>가</title><id>1</id><revision><id>3</id><text>글</text></revision></page>"
    assert read(tmp_path / "a.xml", f"<mediawiki>{old}</mediawiki>".encode()) == [
        Record("a.xml:1", "글", "가")
    ]


def test_a_page_that_cannot_be_read_is_one_bad_record(tmp_path, monkeypatch):
    monkeypatch.setattr(mediawiki, "MAX_RECORD", 1000)
    pages = [page("깊다", 1, "[[a|" * 90 + "]]" * 90), page("길다", 2, "가" * 9000), PAGES[-1]]
    records = read(tmp_path / "a.xml", dump(*pages))
    assert texts(records) == [ROWS[0]]
    assert bad(records) == [
        ("a.xml:1", "markup: templates or links nested more than 40 deep"),
        ("a.xml:2", TOO_LONG),
    ]


def test_a_dump_that_was_cut_is_refused(tmp_path):
    data = dump(*(page("가", number, ROWS[0] * 99) for number in range(300)))
    for name, cut in [
        ("a.xml.bz2", bz2.compress(data)[:-20]),
        ("a.xml", data[:-20]),
        ("b.xml", data[: len(data) // 2]),
    ]:
        with pytest.raises(UserError, match=rf"{name}: damaged or cut short"):
            read(tmp_path / name, cut)


@pytest.mark.parametrize(
    "data, message",
    [
        (b"<rss><channel/></rss>", "no dump of MediaWiki: it begins with <rss>"),
        (b"<mediawiki></mediawiki>", "without a <page>"),
        (
            b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><mediawiki>&c;</mediawiki>',
            "it declares a document type, a",
        ),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><mediawiki/>', "declares a document type"),
        (b"<mediawiki>&b;</mediawiki>", "damaged .*undefined entity"),
    ],
)
def test_xml_that_is_no_dump_is_refused_with_the_reason(tmp_path, data, message):
    with pytest.raises(UserError, match=rf"a\.xml: .*{message}"):
        read(tmp_path / "a.xml", data)


def test_memory_is_that_of_a_page_and_not_of_the_dump(tmp_path):
    path = tmp_path / "a.xml"
    pages = (page("가", number, "글 " * 20_000) for number in range(400))
    path.write_bytes(dump(*pages))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_file(make_source(), path, "a")) == 400
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
