"""Lines of JSON are told apart: the good ones stay, whatever stands between them."""

from corpora.sources.records import MAX_RECORD
from tests.corpora.sources.reading import bad, json_lines, parquet, read, texts


def test_bad_lines_are_told_apart_and_the_good_ones_stay(tmp_path):
    lines = [
        '{"text": "가"}',
        "{",
        "[1]",
        '{"txt": "a"}',
        '{"text": null}',
        '{"text": "\\ud800"}',
        '{"text": NaN}',
        '{"text": "가", "text": "나"}',
        "",
        '{"text": "나"}',
    ]
    records = read(tmp_path / "a.jsonl", "\n".join(lines).encode())
    assert texts(records) == ["가", "", "나"]
    reasons = {
        2: "not JSON: Expecting property name enclosed in double quotes",
        3: "not an object",
        4: "no 'text'; the keys are 'txt'",
        6: "lone surrogate",
        7: "'text' is no text",
        8: "not JSON: the key 'text' stands twice in one object",
    }
    assert bad(records) == [(f"a.jsonl:{number}", reason) for number, reason in reasons.items()]
    assert all(record.text.encode() for record in records if record.reason)


def test_what_python_refuses_to_parse_is_a_bad_line(tmp_path):
    [deep] = bad(read(tmp_path / "a.jsonl", b'{"text": ' + b"[" * 100_000))
    assert deep == ("a.jsonl:1", "not JSON: nested too deep")
    [(_, reason)] = bad(read(tmp_path / "a.jsonl", b'{"text": ' + b"1" * 5000 + b"}"))
    assert "not JSON" in reason
    assert "4300 digits" in reason


def test_null_is_an_empty_text_as_it_is_in_parquet(tmp_path):
    rows = [{"text": None, "title": None}, {"text": "가", "title": "나"}]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    lines = read(tmp_path / "a", json_lines(*rows), format="jsonl", title="title")
    assert lines == read(tmp_path / "a", parquet(columns), format="parquet", title="title")
    assert [line.text for line in lines] == ["", "가"]


def test_a_tab_as_it_is_in_a_string_is_text(tmp_path):
    assert texts(read(tmp_path / "a.jsonl", b'{"text": "1\t2"}')) == ["1\t2"]


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
