"""The text is where most Hangul is; of equals its name decides."""

import pytest

from corpora.survey.fields import ID_NAMES, TITLE_NAMES, guess_name, guess_text, has_header


@pytest.mark.parametrize(
    "samples, expected",
    [
        ({"id": ["x" * 99], "label": ["긍정"], "document": ["재밌는 영화였다"]}, "document"),
        ({"summary": ["가나다라마바사"], "text": ["가나다라마바"]}, "text"),
        ({"original_form": ["가나다"], "form": ["가나다"]}, "form"),
        ({"url": ["http://a"], "body": ["English text, longer than that"]}, "body"),
        ({"number": ["1", "2"]}, ""),
        ({}, ""),
    ],
)
def test_the_column_with_the_most_hangul_is_the_text(samples, expected):
    assert guess_text(samples) == expected


@pytest.mark.parametrize(
    "samples, text, names, expected",
    [
        (["guid", "제목", "본문"], "본문", TITLE_NAMES, "제목"),
        (["guid", "title"], "title", TITLE_NAMES, ""),
        (["title", "a[].title", "a[].b[].title", "a[].text"], "a[].text", TITLE_NAMES, "a[].title"),
        (["id", "a[].text"], "a[].text", ID_NAMES, ""),
        (["guid", "text"], "text", ID_NAMES, "guid"),
    ],
)
def test_a_title_stands_in_the_same_element_as_the_text(samples, text, names, expected):
    assert guess_name({name: [] for name in samples}, names, text) == expected


@pytest.mark.parametrize(
    "rows, expected",
    [
        ([["id", "document"], ["1", "가"]], True),
        ([["1", "가"], ["2", "나"]], False),
        ([["가" * 50, "pos"], ["나", "neg"]], False),
        ([["좋은 영화", "긍정"], ["나쁜 영화", "부정"], ["또", "긍정"]], False),
        ([["text", "text"], ["가", "나"]], False),
        ([["", "text"], ["0", "나"]], False),
    ],
)
def test_a_header_holds_names_only(rows, expected):
    assert has_header(rows) == expected
