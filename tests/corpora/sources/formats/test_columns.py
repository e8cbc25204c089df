"""A source reads the columns that it names; `only` takes the rows whose names begin rightly."""

import pytest

from corpora.errors import UserError
from corpora.sources.formats.columns import to_document
from corpora.sources.records import MAX_RECORD, TOO_LONG, Record
from tests.corpora.small_recipe import make_source
from tests.corpora.sources.reading import ROWS, bad, json_lines, parquet, read, texts

NAMED = [
    {"guid": "wiki-1", "text": ROWS[0]},
    {"guid": "news-2", "text": "뉴스"},
    {"guid": "book-3", "text": ROWS[1]},
]
FILES = {
    "a.jsonl": json_lines(*NAMED),
    "a.parquet": parquet({key: [row[key] for row in NAMED] for key in ("guid", "text")}),
    "a.csv": ("guid,text\n" + "".join(f"{row['guid']},{row['text']}\n" for row in NAMED)).encode(),
    "a.tsv": (
        "text\tguid\n" + "".join(f"{row['text']}\t{row['guid']}\n" for row in NAMED)
    ).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_only_takes_the_rows_with_these_names_and_counts_no_other(tmp_path, name):
    records = read(tmp_path / name, FILES[name], only=("wiki-", "book-"), id="guid")
    assert texts(records) == ROWS
    assert not bad(records)
    assert len(texts(read(tmp_path / name, FILES[name]))) == 3


def test_a_row_without_the_name_that_only_needs_is_bad(tmp_path):
    rows = [{"id": "wiki-1", "text": "가"}, {"text": "나"}, {"id": 3, "text": "다"}]
    records = read(tmp_path / "a.jsonl", json_lines(*rows), only=("wiki-",))
    assert texts(records) == ["가"]
    reason = "no text in 'id', which only = needs"
    assert bad(records) == [("a.jsonl:2", reason), ("a.jsonl:3", reason)]


@pytest.mark.parametrize(
    "settings, message",
    [
        ({}, "says text = 'text', but the columns are 'name', 'body': set text to the right one"),
        (
            {"text": "body", "title": "head"},
            "says title = 'head', but the columns are 'name', 'body'",
        ),
        ({"text": "body", "only": ("a",)}, "says id = 'id', but the columns are 'name', 'body'"),
    ],
)
def test_a_table_without_a_column_that_is_named_is_refused(tmp_path, settings, message):
    files = {"a.csv": b"name,body\n1,x\n", "a.parquet": parquet({"name": ["1"], "body": ["x"]})}
    for name, data in files.items():
        with pytest.raises(UserError, match=f"source 's' {message}"):
            read(tmp_path / name, data, **settings)


@pytest.mark.parametrize("title, expected", [("제목", "제목"), (None, ""), ("", "")])
def test_a_row_may_have_a_title(title, expected):
    record = to_document(make_source(title="head"), "a:1", {"text": "글", "head": title})
    assert record == Record("a:1", "글", expected)


@pytest.mark.parametrize(
    "row, reason",
    [
        ({"text": "글", "head": 5}, "'head' is no text"),
        ({"text": 0}, "'text' is no text"),
        ({"text": ["글"]}, "'text' is a list: text[] joins its texts"),
        ({"text": "글", "head": "\udc00"}, "lone surrogate"),
        ({"text": "가" * (MAX_RECORD // 3), "head": "제목"}, TOO_LONG),
        ({str(number): "" for number in range(200)}, "no 'text'; the keys are '0', '1', "),
    ],
)
def test_a_row_without_a_fit_text_says_why(row, reason):
    record = to_document(make_source(title="head"), "a:1", row)
    assert record is not None
    assert record.reason.startswith(reason)
    assert len(record.reason) <= 300


SPEECH = {
    "id": "SDRW-1",
    "metadata": {"title": "대화", "topics": ["음식", "여행"]},
    "utterance": [
        {"form": "밥 먹었어?"},
        {"form": None},
        {"form": " "},
        {"speaker": "2"},
        None,
        {"form": "응."},
    ],
    "text": [[{"sentence": "첫째"}, {"sentence": "둘째"}], [], [{"sentence": "셋째"}]],
    "lines": ["하나", "둘"],
    "a.b": "점이 있는 이름",
    "a": {"b": "길", "c": None},
}


@pytest.mark.parametrize(
    "path, expected",
    [
        ("utterance[].form", "밥 먹었어?\n응."),
        ("text[][].sentence", "첫째\n둘째\n셋째"),
        ("lines[]", "하나\n둘"),
        ("metadata.title", "대화"),
        ("a.b", "점이 있는 이름"),
        ("a.c", ""),
        ("a.c.d[].e", ""),
    ],
)
def test_a_path_joins_the_texts_of_its_lists_but_a_key_of_that_name_comes_first(path, expected):
    record = to_document(make_source(text=path), "a:1", SPEECH)
    assert record == Record("a:1", expected)


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({"title": "metadata.topics[]"}, Record("a:1", "하나\n둘", "음식 여행")),
        ({"title": "metadata.no.such"}, Record("a:1", "하나\n둘")),
        ({"only": ("대",), "id": "metadata.title"}, Record("a:1", "하나\n둘")),
        ({"only": ("SXRW",), "id": "metadata.title"}, None),
    ],
)
def test_title_and_id_may_be_paths_and_a_title_of_many_is_joined_by_spaces(settings, expected):
    assert to_document(make_source(text="lines[]", **settings), "a:1", SPEECH) == expected


def test_a_path_without_the_name_that_only_needs_is_bad():
    source = make_source(text="lines[]", only=("SXRW",), id="metadata.no")
    record = to_document(source, "a:1", SPEECH)
    assert record is not None
    assert record.reason == "no text in 'metadata.no', which only = needs"


@pytest.mark.parametrize(
    "path, reason",
    [
        ("utterances[].form", "no 'utterances'; the keys are 'id', 'metadata', 'utterance'"),
        ("utterance[].text", "no 'text' in utterance[]; the keys are 'form'"),
        ("metadata.head", "no 'head' in metadata; the keys are 'title', 'topics'"),
        ("utterance.form", "'utterance' is a list: write utterance[]"),
        ("metadata[].title", "'metadata' isn't a list: leave out the [] in metadata[].title"),
        ("lines[].form", "'lines[]' isn't an object, as lines[].form has it"),
        ("metadata", "'metadata' is no text"),
    ],
)
def test_a_path_that_does_not_fit_names_what_is_there(path, reason):
    record = to_document(make_source(text=path), "a:1", SPEECH)
    assert record is not None
    assert record.reason.startswith(reason)
