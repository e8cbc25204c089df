"""WikiExtractor's files are read one document an article; what stands between them is told."""

import bz2

import pytest

from corpora.sources.formats import wikiextractor
from corpora.sources.records import TOO_LONG, Record
from tests.corpora.sources.packing import pack_zip
from tests.corpora.sources.reading import ROWS, bad, json_lines, read, texts


def article(title, text, number=5):
    url = f"https://ko.wikipedia.org/wiki?curid={number}"
    return f'<doc id="{number}" url="{url}" title="{title}">\n{title}\n\n{text}\n\n</doc>\n'


@pytest.mark.parametrize("name, compress", [("wiki_00", bytes), ("wiki_15.bz2", bz2.compress)])
def test_a_document_is_an_article_with_its_title_once(tmp_path, name, compress):
    data = article("지미 카터", "지미 카터는\n\n대통령이다.") + article("수학", ROWS[0])
    assert read(tmp_path / name, compress(data.encode())) == [
        Record(f"{name}:1", "지미 카터는\n\n대통령이다.", "지미 카터"),
        Record(f"{name}:9", ROWS[0], "수학"),
    ]


def test_a_title_may_hold_quotes_and_entities_and_a_text_escaped_signs(tmp_path):
    data = article('"A" &amp; B', "a &lt;b&gt; &amp;amp; AT&T").replace('\n"A" &amp;', '\n"A" &')
    [record] = read(tmp_path / "wiki_00", data.encode())
    assert record[1:3] == ("a <b> &amp; AT&T", '"A" & B')


def test_a_text_that_only_begins_with_its_title_keeps_it(tmp_path):
    data = '<doc id="1" url="a" title="서울">\n서울특별시는 도시다.\n</doc>\n'
    [record] = read(tmp_path / "wiki_00", data.encode())
    assert record[1:3] == ("서울특별시는 도시다.", "서울")


def test_an_article_without_text_is_no_title_alone(tmp_path):
    data = article("서울", "") + '<doc id="2" url="a" title="가">\n</doc>\n'
    assert [record[1:3] for record in read(tmp_path / "wiki_00", data.encode())] == [("", "")] * 2


def test_its_lines_of_json_are_read_too(tmp_path):
    data = json_lines(*[{"id": "5", "url": "a", "title": "제목", "text": row} for row in ROWS])
    assert read(tmp_path / "wiki_00", data) == [
        Record(f"wiki_00:{number}", row, "제목") for number, row in enumerate(ROWS, 1)
    ]


def test_what_is_outside_an_article_and_what_never_ends_are_bad_records(tmp_path):
    unclosed = article("나", "나", 6).replace("</doc>\n", "")
    data = "밖\n밖\n" + article("가", "가") + unclosed + article("다", "다") + "끝\n" + unclosed
    records = read(tmp_path / "a.txt", data.encode(), format="wikiextractor")
    assert texts(records) == ["가", "다"]
    outside = "text outside <doc ...> and </doc>"
    assert bad(records) == [
        ("a.txt:1", outside),
        ("a.txt:9", "<doc> without its </doc>"),
        ("a.txt:20", outside),
        ("a.txt:21", "<doc> without its </doc>"),
    ]


def test_a_damaged_line_goes_alone(tmp_path):
    data = article("가", "나\n@@\n다").encode().replace(b"@@", b"\xff\xff\x80")
    records = read(tmp_path / "wiki_00", data)
    assert texts(records) == ["나\n다"]
    assert bad(records) == [("wiki_00:5", "byte 0 (0xff) is neither UTF-8 nor CP949")]


def test_an_article_longer_than_a_record_is_rejected_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(wikiextractor, "MAX_RECORD", 100)
    data = article("가", "나\n" * 200) + article("다", "다")
    records = read(tmp_path / "wiki_00", data.encode())
    assert texts(records) == ["다"]
    assert bad(records) == [("wiki_00:1", TOO_LONG)]


def test_its_folders_may_lie_in_an_archive(tmp_path):
    data = pack_zip({"AA/wiki_00": article("가", ROWS[0]).encode()})
    [record] = read(tmp_path / "text.zip", data)
    assert record[:2] == ("text.zip/AA/wiki_00:1", ROWS[0])
