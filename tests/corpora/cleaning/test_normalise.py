"""Normalising repairs what is damaged, and leaves alone what published Korean cleaners break."""

import unicodedata

import pytest
from hypothesis import given, strategies

from corpora.cleaning.cleanups import load_cleanups
from corpora.cleaning.normalise import clean, normalise
from tests.corpora.small_recipe import make_recipe

CLEANUPS = load_cleanups(make_recipe())
EVERYTHING = [step for name, step in CLEANUPS.items() if name not in ("wiki_headings", "unwrap")]


@pytest.mark.parametrize(
    "text",
    [
        "안녕ㅋㅋㅋ",
        "1000000원",
        "2020-01-01",
        "0000000000",
        "ᄒᆞᆫ글",
        "www.naver.com",
        "재밌다ㅠㅠ!!",
        "A·B ㆍ ½ ① ㎏",
        "x@naver.com으로 보냈다",
        "3<5이고 AT&T와 R&D",
        "점수는 1:0 (연장)",
        "f(x, y)",
        "“따옴표” ‘작은’ ﬁ ＡＢＣ",
        "👨‍👩‍👧 가족",
        "Città–Stazione는 역이다",
        "São Paulo, Patočka, Ñandú",
        "별점까기. ····",
        "For Prodo····",
        "20\u00d7600억",
    ],
)
def test_what_published_cleaners_break_comes_through_unchanged(text):
    assert clean(text, "", EVERYTHING) == (text, 0, 0)


@pytest.mark.parametrize(
    "damage, num_lines",
    [
        (lambda text: text.encode("cp949").decode("latin-1"), 1),
        (lambda text: text.encode().decode("latin-1"), 1),
        (lambda text: text, 0),
    ],
    ids=["CP949 read as Latin-1", "UTF-8 read as Latin-1", "no damage"],
)
def test_damaged_encodings_are_repaired_line_by_line(damage, num_lines):
    sentence = "가나다 마바사는 “대한민국” 글자다."
    text, num_repaired, _ = normalise(f"멀쩡한 줄\n{damage(sentence)}")
    assert text == f"멀쩡한 줄\n{sentence}"
    assert num_repaired == num_lines


def test_text_is_composed_but_not_changed_into_other_letters():
    assert normalise(unicodedata.normalize("NFD", "한국어 ㅋㅋ"))[0] == "한국어 ㅋㅋ"
    assert normalise("ㅋㅠ ㆍ ㎏ ① ﾊ")[0] == "ㅋㅠ ㆍ ㎏ ① ﾊ"


def test_sentencepieces_space_mark_is_replaced_and_counted():
    assert clean("가▁나▁▁", "", []) == ("가_나__", 0, 3)


def test_control_characters_go_and_every_line_end_becomes_a_newline():
    text = "가\r\n나\r다\u2028라\0\x1b\u200b\u202e\ufeff마\u00ad바"
    assert normalise(text)[0] == "가\n나 다\n라마바"


# Without control characters, which are parts of damaged Hangul: with one of them taken out, the
# rest may be Hangul, too.
VISIBLE = strategies.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])


@given(strategies.text(VISIBLE))
def test_normalising_twice_changes_nothing_more(text):
    once, _, _ = normalise(text)
    assert normalise(once) == (once, 0, 0)


def test_a_title_is_put_before_a_text_that_lacks_it():
    assert clean("왕이다.", "세종", [])[0] == "세종\n\n왕이다."
    assert clean("세종은 왕이다.", "세종", [])[0] == "세종은 왕이다."


def test_what_entities_stand_for_is_normalised_too():
    raw = "가&#9601;나 &#4370;&#4449;&#4523; 다&#8203;라"
    text, _, num_space_marks = clean(raw, "", [CLEANUPS["entities"]])
    assert text == "가_나 한 다라"
    assert num_space_marks == 1
