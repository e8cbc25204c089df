"""A file of JSON is an array, lines or nested objects; what is unfit in it is lost alone."""

import gzip
import json
import tracemalloc

import pytest

from corpora.errors import UserError
from corpora.sources.formats import json_files
from corpora.sources.read import read_file
from corpora.sources.records import MAX_RECORD, TOO_LONG, Record
from tests.corpora.small_recipe import make_source
from tests.corpora.sources.reading import ROWS, bad, json_lines, read, texts

OBJECTS = [{"text": row, "출처": "가[나]{다}\\"} for row in ROWS]
LINES = "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in OBJECTS) + "\n]\n"
ARRAYS = {
    "one line": json.dumps(OBJECTS, ensure_ascii=False),
    "pretty-printed": json.dumps(OBJECTS, ensure_ascii=False, indent=4),
    "ascii": json.dumps(OBJECTS),
    "brackets around lines": LINES,
    "a comma after the last line": LINES.replace("}\n]", "},\n]"),
    "lines that end in \\r\\n": LINES.replace("\n", "\r\n"),
}
ENCODINGS = ("utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-be")
CORPUS = {
    "id": "NWRW1800000021",
    "metadata": {"title": "신문", "document": ["not this one"]},
    "document": [
        {
            "id": "NWRW1800000021.1",
            "metadata": {"title": "첫 기사", "topic": "사회"},
            "paragraph": [{"id": "1.1", "form": "첫 기사"}, {"id": "1.2", "form": ROWS[0]}],
        },
        {
            "id": "NWRW1800000021.2",
            "metadata": {"title": "둘째 기사"},
            "paragraph": [{"id": "2.1", "form": ROWS[1]}, {"id": "2.2", "form": ""}],
        },
    ],
}
NESTED = {
    "one line": json.dumps(CORPUS, ensure_ascii=False),
    "one line with its end": json.dumps(CORPUS, ensure_ascii=False) + "\n",
    "pretty-printed": json.dumps(CORPUS, ensure_ascii=False, indent=4),
    "ascii": json.dumps(CORPUS, indent="\t"),
}
PATHS = {"text": "document[].paragraph[].form", "title": "document[].metadata.title"}


def encode(text: str, encoding: str) -> bytes:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    return (mark + text).encode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("layout", ARRAYS)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_each_element_of_an_array_is_a_document(tmp_path, name, layout, encoding):
    records = read(tmp_path / name, encode(ARRAYS[layout], encoding))
    assert [(record.where, record.text) for record in records] == [
        (f"{name}:1", ROWS[0]),
        (f"{name}:2", ROWS[1]),
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("layout", NESTED)
def test_each_element_of_the_first_list_of_an_object_is_a_document(tmp_path, layout, encoding):
    records = read(tmp_path / "a.json", encode(NESTED[layout], encoding), **PATHS)
    assert records == [
        Record("a.json:1", f"첫 기사\n{ROWS[0]}", "첫 기사"),
        Record("a.json:2", ROWS[1], "둘째 기사"),
    ]
    only = {"id": "document[].id", "only": ("NWRW1800000021.2",)}
    [second] = read(tmp_path / "a.json", encode(NESTED[layout], encoding), **PATHS, **only)
    assert second.title == "둘째 기사"


def test_an_object_is_one_document_by_unit_and_where_the_path_has_no_list(tmp_path):
    data = NESTED["pretty-printed"].encode()
    [whole] = read(tmp_path / "a.json", data, **PATHS | {"title": "metadata.title"}, unit="file")
    assert whole == Record("a.json:1", f"첫 기사\n{ROWS[0]}\n{ROWS[1]}", "신문")
    assert texts(read(tmp_path / "a.json", data, text="metadata.title")) == ["신문"]


def test_of_lines_and_arrays_all_lists_are_joined(tmp_path):
    lines = json_lines(CORPUS, CORPUS)
    array = json.dumps([CORPUS, CORPUS]).encode()
    joined = f"첫 기사\n{ROWS[0]}\n{ROWS[1]}"
    for data in (lines, array):
        records = read(tmp_path / "a.json", data, **PATHS)
        assert [record.text for record in records] == [joined, joined]
        assert records[0].title == "첫 기사 둘째 기사"
    assert texts(read(tmp_path / "a.jsonl", json_lines(CORPUS), **PATHS)) == [joined]


def test_objects_over_several_lines_may_follow_each_other(tmp_path):
    data = 2 * NESTED["pretty-printed"].encode()
    records = read(tmp_path / "a.json", data, **PATHS)
    assert [record.where for record in records] == [f"a.json:{number}" for number in (1, 2, 3, 4)]
    data = b"\n".join(json.dumps(row, indent=1).encode() for row in OBJECTS)
    for name in ("a.json", "a.jsonl"):
        assert texts(read(tmp_path / name, data)) == ROWS


def test_a_list_deeper_in_an_object_and_lists_of_lists_are_found(tmp_path):
    data = {"data": {"b": 1, "documents": [{"text": [[{"s": "가"}, {"s": "나"}], [{"s": "다"}]]}]}}
    for indent in (None, 2):
        records = read(
            tmp_path / "a.json",
            json.dumps(data, indent=indent).encode(),
            text="data.documents[].text[][].s",
        )
        assert texts(records) == ["가\n나\n다"]
    lists = json.dumps({"rows": [["가", "나"], ["다"]], "texts": ROWS}).encode()
    assert texts(read(tmp_path / "a.json", lists, text="rows[][]")) == ["가\n나", "다"]
    assert texts(read(tmp_path / "a.json", lists, text="texts[]")) == ROWS


@pytest.mark.parametrize(
    "data, reason",
    [
        ({"name": 1, "data": [CORPUS]}, "no 'document'; the keys are 'name', 'data'"),
        ({"document": None}, "'document' is no list"),
        ({"document": {"paragraph": []}}, "'document' is no list"),
        ({"document": [1]}, "not an object"),
        ({"document": [{"id": 1}]}, "no 'paragraph'; the keys are 'id'"),
    ],
)
def test_an_object_without_the_path_is_a_bad_record_that_names_its_keys(tmp_path, data, reason):
    records = read(tmp_path / "a.json", json.dumps(data).encode(), text=PATHS["text"])
    assert bad(records) == [("a.json:1", reason)]


@pytest.mark.parametrize("used", [{"title": "metadata.title"}, {"id": "id", "only": ("N",)}])
def test_a_title_or_id_outside_the_documents_list_is_refused(tmp_path, used):
    message = r"is an element of 'document\[\]': begin \w+ with 'document\[\]\.', or set unit"
    with pytest.raises(UserError, match=message):
        read(tmp_path / "a.json", NESTED["one line"].encode(), text=PATHS["text"], **used)


@pytest.mark.parametrize("data", [LINES.encode(), json_lines(*OBJECTS)])
def test_unit_file_fits_an_object_alone(tmp_path, data):
    with pytest.raises(
        UserError, match=r"says unit = 'file', but this file holds .*leave unit out"
    ):
        read(tmp_path / "a.json", data, unit="file")


UNFIT = {
    b'{"text": "a\xff\xff"}': "neither UTF-8 nor CP949",
    b'{"text": "\\ud800"}': "lone surrogate",
    b'{"text": NaN}': "'text' is no text",
    b'{"text": ' + b"1" * 5000 + b"}": "not JSON: Exceeds the limit (4300 digits)",
    b'{"text": ' + b"[" * 50_000 + b"]" * 50_000 + b"}": "not JSON: nested too deep",
    b'{"text": "' + b"x" * MAX_RECORD + b'"}': TOO_LONG,
    b'{"text": "a", "text": "b"}': "not JSON: the key 'text' stands twice in one object",
    b'{"body": "a"}': "no 'text'; the keys are 'body'",
    b'["a"]': "not an object",
    b"12": "not an object",
}


@pytest.mark.parametrize("unfit", UNFIT, ids=UNFIT.values())
@pytest.mark.parametrize("before, after, path", [(b"", b"", ""), (b'{"d": ', b"}", "d[].")])
def test_an_unfit_element_is_lost_alone(tmp_path, unfit, before, after, path):
    good = json.dumps({"text": ROWS[0]}, ensure_ascii=False).encode("cp949")
    data = before + b"[" + good + b",\n" + unfit + b",\n" + good + b"]" + after
    records = read(tmp_path / "a.json", data, text=f"{path}text")
    assert texts(records) == [ROWS[0], ROWS[0]]
    [(where, reason)] = bad(records)
    assert where == "a.json:2"
    assert UNFIT[unfit] in reason


def test_what_json_lets_pass_is_read(tmp_path):
    data = '[{"text": "1\t2\n3", "n": NaN}, {"text": null}, {"text": "\\ud55c\\uD83D\\uDE00"}]'
    assert texts(read(tmp_path / "a.json", data.encode())) == ["1\t2\n3", "", "한😀"]


def test_an_array_of_strings_is_one_of_texts_unless_a_key_is_named(tmp_path):
    data = json.dumps([*ROWS, "\ud800", 1]).encode()
    records = read(tmp_path / "a.json", data)
    assert texts(records) == ROWS
    assert bad(records) == [("a.json:3", "lone surrogate"), ("a.json:4", "not an object")]
    assert len(bad(read(tmp_path / "a.json", data, text="body"))) == 4
    assert len(bad(read(tmp_path / "a.json", data, title="title"))) == 4


@pytest.mark.parametrize("first", ['{"text": "가"', '{"text": "가"}', "# 주석", "{'text': 'a'}"])
def test_a_json_file_of_lines_is_read_on_after_a_bad_line(tmp_path, first):
    lines = [first, '{"text": "나"', '{"text": "다"},', '{"text": "라"}']
    records = read(tmp_path / "a.json", "\n".join(lines).encode())
    assert texts(records)[-1] == "라"
    assert len(bad(records)) + len(texts(records)) == 4
    assert bad(records)[-1][0] == "a.json:3"


@pytest.mark.parametrize(
    "data, message",
    [
        ('[{"text": "가"},\n{"text": }]', "line 2: Expecting value, in .* that begins at byte 18"),
        ('[{"text": "가"}\n{"text": "나"}]', "at line 2, byte 17 { stands where , or ] should"),
        ('[{"text": "가"},\n{"text": "나}]', "ends inside what begins at line 2, byte 18"),
        ('[{"text": "가"},\n{"text": "나"', "ends inside what begins at line 2, byte 18"),
        ('[{"text": "가"}] [', "at line 1, byte 18 the array is over, but the file goes on"),
        ('{\n"text": "가"\n', "ends inside what begins at line 1, byte 0"),
        ("{'text': '가'}", "line 1: Expecting property name enclosed in double quotes"),
    ],
)
def test_a_broken_file_is_named_with_the_place(tmp_path, data, message):
    with pytest.raises(UserError, match=f"^a.json: not JSON: .*{message}.*Mend it, get it again"):
        read(tmp_path / "a.json", data.encode())


@pytest.mark.parametrize("before, after, path", [(b"[", b"]", ""), (b'{"d": [', b"]}", "d[].")])
def test_a_large_file_takes_the_memory_of_a_document(tmp_path, monkeypatch, before, after, path):
    monkeypatch.setattr(json_files, "MAX_RECORD", 1 << 20)  # the window that a layout is told by
    element = json.dumps({"text": ROWS[0] * 50}, ensure_ascii=False, indent=1).encode()
    file = tmp_path / "a.json.gz"
    file.write_bytes(gzip.compress(before + b",".join([element] * 20_000) + after, 1, mtime=0))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_file(make_source(text=f"{path}text"), file, "a")) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
