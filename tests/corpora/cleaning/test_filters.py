"""Lines and documents over a limit are dropped for one stated reason, and others stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.cleaning.filters import drop_lines, drop_reasons, is_repetitive, repetition_share
from corpora.duplicates.texts import Texts
from tests.corpora.small_recipe import make_source


def drop_reason(text, **limits):
    return drop_reasons(Texts([text]), [text], make_source(**limits))[0]


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "empty"),
        ("짧다", "too short"),
        ("Only English here, nothing else", "too little Hangul"),
        ("1234567890", "too little Hangul"),
        ("같은 줄이다.\n" * 9, "repeated lines"),
        ("최고최고 " * 50, "repetitive"),
        ("가 ---- ==== ++++ ////", "too many symbols"),
        ("재밌는 영화였어요 ㅋㅋ", ""),
        ("ᄒᆞᆫ글ᄋᆞᆯ ᄡᅳᄂᆞ니라", ""),
    ],
)
def test_a_document_is_dropped_for_one_stated_reason(text, reason):
    assert drop_reason(text.strip(), min_chars=5, max_symbols=0.5, max_repetition=0.9) == reason


def test_documents_of_a_batch_are_judged_one_by_one():
    batch = ["가나다 abcd", "가나다 abc", "", "12", "가\n나\n가\n다"]
    source = make_source(min_hangul=0.5, max_repeated_lines=0.2)
    reasons = ["too little Hangul", "", "empty", "too little Hangul", "repeated lines"]
    assert drop_reasons(Texts(batch), batch, source) == reasons


def test_a_text_without_letters_stays_where_no_hangul_is_asked_for():
    assert drop_reason("12", min_hangul=0.0) == ""


def test_lines_over_a_limit_are_taken_out_with_their_reason():
    batch = [
        "첫 줄은 남는다\n---- ====\n\n짧다\n남는 줄이다\n남는 줄이다!\n남는 줄이다\n마지막 줄",
        "손대지 않는 글이다",
        "한 줄\n" + "긴 " * 50,
    ]
    limits = make_source(
        line_min_chars=3, line_max_chars=60, line_max_symbols=0.5, line_max_copies=2
    )
    kept, dropped = drop_lines(Texts(batch), batch, limits)
    assert kept == [
        "첫 줄은 남는다\n\n남는 줄이다\n남는 줄이다!\n마지막 줄",
        "손대지 않는 글이다",
        "한 줄",
    ]
    assert dropped == [
        (0, "---- ====", "line of symbols"),
        (0, "짧다", "line too short"),
        (0, "남는 줄이다", "line repeated"),
        (2, "긴 " * 50, "line too long"),
    ]


def test_without_line_limits_no_line_is_taken_out():
    batch = ["첫 줄\n---- ====\n\n짧다\n짧다", "English"]
    assert drop_lines(Texts(batch), batch, make_source()) == (batch, [])


def test_a_line_with_too_little_hangul_and_one_without_letters_are_taken_out():
    batch = ["한글 줄\nEnglish line\n2020"]
    kept, dropped = drop_lines(Texts(batch), batch, make_source(line_min_hangul=0.2))
    assert kept == ["한글 줄"]
    assert [line for _, line, _ in dropped] == ["English line", "2020"]
    assert {reason for _, _, reason in dropped} == {"line with too little Hangul"}


def test_prose_is_not_called_repetitive():
    text = "대한민국은 민주공화국이다. 모든 권력은 국민으로부터 나온다."
    assert repetition_share(text) < 0.3


@given(
    st.lists(st.tuples(st.text(max_size=300), st.integers(1, 200)), min_size=1, max_size=5),
    st.sampled_from([0.5, 0.9, 0.95]),
)
def test_a_text_is_judged_by_its_beginning_as_by_the_whole(parts, limit):
    text = "".join(part * copies for part, copies in parts)
    assert is_repetitive(text, limit) == (repetition_share(text) > limit)
