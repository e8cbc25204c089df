"""JSON is cut into the same values wherever its bytes happen to end, and in any encoding."""

import io
import json
import random
import re

import pytest

from corpora.sources.formats import json_values
from corpora.sources.formats.json_values import BrokenJsonError, JsonBytes
from corpora.sources.records import MAX_RECORD

VALUES = [
    {"text": '따옴표 " 와 \\ 와 [괄호] {와} \\" 끝\\\\', "list": [1, [2, {"a": []}], {}]},
    '"[{\\',
    "",
    -1.5e300,
    True,
    None,
    [],
    [[["가"]], "]"],
]


def cut(raw: bytes) -> list[bytes]:
    values = JsonBytes(io.BufferedReader(io.BytesIO(raw)))
    elements = list(values.elements())
    assert values.peek() == b""
    return elements


@pytest.mark.parametrize("size", [3, 4, 5, 7, 64, 1 << 20])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_values_are_the_same_wherever_the_bytes_are_parted(monkeypatch, size, indent, encoding):
    monkeypatch.setattr(json_values, "CHUNK", size)
    raw = json.dumps(VALUES, ensure_ascii=False, indent=indent).encode(encoding)
    assert [json.loads(value.decode(encoding)) for value in cut(raw)] == VALUES


def test_random_values_are_cut_as_json_reads_them(monkeypatch):
    monkeypatch.setattr(json_values, "CHUNK", 5)
    draw = random.Random(1)

    def value(depth: int):
        kind = draw.randrange(3 + 2 * (depth < 4))
        if kind < 2:
            return "".join(draw.choices('가[]{}"\\,: \n', k=draw.randrange(6)))
        if kind == 2:
            return draw.choice([0, 1.5, None, False])
        if kind == 3:
            return [value(depth + 1) for _ in range(draw.randrange(4))]
        return {str(key): value(depth + 1) for key in range(draw.randrange(4))}

    for _ in range(300):
        values = [value(0) for _ in range(draw.randrange(4))]
        assert [json.loads(each) for each in cut(json.dumps(values).encode())] == values


def test_no_character_of_cp949_holds_a_byte_that_json_is_cut_at():
    characters = [chr(code) for code in range(0x80, 0x10000) if not 0xD800 <= code < 0xE000]
    raw = "".join(characters).encode("cp949", "ignore")
    assert len(raw) > 2 * 17_000
    assert not re.search(rb'["\\\[\]{}]', raw)


def test_what_is_skipped_or_too_long_is_not_kept(monkeypatch):
    monkeypatch.setattr(json_values, "CHUNK", 1000)
    long = json.dumps({"text": "x" * 100_000})
    values = JsonBytes(io.BufferedReader(io.BytesIO(f'{{"a": {long}, "b": 1}}'.encode())))
    members = values.members()
    assert next(members) == "a"
    assert len(values.take_value(limit=0)) <= 1000
    assert next(members) == "b"
    assert values.take_value() == b"1"
    assert list(members) == []
    start = json.dumps([["x" * MAX_RECORD], 2]).encode()
    monkeypatch.setattr(json_values, "CHUNK", 1 << 20)
    too_long, last = cut(start)
    assert MAX_RECORD < len(too_long) <= MAX_RECORD + (2 << 20)
    assert last == b"2"


@pytest.mark.parametrize(
    "raw, message",
    [
        ('[{"a": 1}\n {"b": 2}]', "at line 2, byte 11 { stands where , or ] should"),
        ('[{"a": 1},\n', "at line 2, byte 11 a value is missing"),
        ("[1, , 2]", "at line 1, byte 4 a value is missing"),
        ("[1", "at line 1, byte 2 it ends where , or ] should"),
        ('[1,\n\n"abc, 2]', "the file ends inside what begins at line 3, byte 5"),
        ('[{"a": [1, 2}, 3]\n', "at line 2, byte 18 it ends where , or ] should"),
        ('[{"a": [1, 2, 3}\n', "the file ends inside what begins at line 1, byte 1"),
        ("[1}", "at line 1, byte 2 } stands where , or ] should"),
        ('["1"\xff]', "\\xff stands where"),
    ],
)
def test_what_is_broken_is_told_with_its_place(raw, message):
    with pytest.raises(BrokenJsonError, match=re.escape(message)):
        cut(raw.encode("latin-1"))
