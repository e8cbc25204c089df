"""The text is where most Hangul is; of equals its name decides."""

import pytest

from corpora.survey.fields import guess_text, guess_title, has_header


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
    "samples, text, expected",
    [
        (["guid", "제목", "본문"], "본문", "제목"),
        (["guid", "title"], "title", ""),
        (["title", "a[].title", "a[].b[].title", "a[].text"], "a[].text", "a[].title"),
        (["title", "a[].text"], "a[].text", ""),
    ],
)
def test_a_title_stands_in_the_same_element_as_the_text(samples, text, expected):
    assert guess_title({name: [] for name in samples}, text) == expected


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
