"""Lines of JSON are told apart: the good ones stay, whatever stands between them."""

from corpora.sources.records import MAX_RECORD
from tests.corpora.sources.reading import bad, json_lines, read, texts


def test_bad_lines_are_told_apart_and_the_good_ones_stay(tmp_path):
    lines = [
        '{"text": "가"}',
        "{",
        "[1]",
        '{"txt": "a"}',
        '{"text": null}',
        '{"text": "\\ud800"}',
        "",
        '{"text": "나"}',
    ]
    records = read(tmp_path / "a.jsonl", "\n".join(lines).encode())
    assert texts(records) == ["가", "나"]
    reasons = [
        "not JSON: Expecting property name enclosed in double quotes",
        "not an object",
        "no 'text'; the keys are 'txt'",
        "'text' or its title is no text",
        "lone surrogate",
    ]
    assert bad(records) == [
        (f"a.jsonl:{number}", reason) for number, reason in enumerate(reasons, 2)
    ]
    assert all(record.text.encode() for record in records)


def test_what_python_refuses_to_parse_is_a_bad_line(tmp_path):
    [deep] = bad(read(tmp_path / "a.jsonl", b"[" * 100_000))
    assert deep == ("a.jsonl:1", "not JSON: nested too deep")
    [(_, reason)] = bad(read(tmp_path / "a.jsonl", b'{"text": ' + b"1" * 5000 + b"}"))
    assert "not JSON" in reason
    assert "4300 digits" in reason


def test_line_ends_of_other_kinds_stay_in_a_text(tmp_path):
    line = "가\r나\x85다\u2028라\x0b마"
    assert texts(read(tmp_path / "a.jsonl", json_lines({"text": line}))) == [line]


def test_a_26_mb_line_is_read_and_a_longer_one_than_the_cap_is_rejected_alone(tmp_path):
    long = "가" * (26 * 1000 * 1000 // 3)
    rows = json_lines({"text": long}, {"text": "나"})
    assert texts(read(tmp_path / "a.jsonl", rows)) == [long, "나"]
    too_long = b'{"text": "' + b"x" * MAX_RECORD + b'"}\n'
    records = read(tmp_path / "a.jsonl", json_lines({"text": "가"}) + too_long + rows)
    assert texts(records) == ["가", long, "나"]
    assert bad(records) == [("a.jsonl:2", f"longer than {MAX_RECORD >> 20} MB")]
