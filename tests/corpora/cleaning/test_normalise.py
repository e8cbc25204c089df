"""Normalising repairs what is damaged, and leaves alone what published Korean cleaners break."""

import re
import unicodedata

import pytest
from hypothesis import given, strategies

from corpora.cleaning.cleanups import load_cleanups
from corpora.cleaning.normalise import (
    CONTROL,
    NO_REPAIRS,
    UNSEEN,
    Repairs,
    clean,
    normalise,
)
from tests.corpora.small_recipe import make_recipe

CLEANUPS = load_cleanups(make_recipe())
NOT_FOR_EVERY_TEXT = ("wiki_headings", "unwrap", "press_marks")  # the last one takes bullets away
EVERYTHING = [step for name, step in CLEANUPS.items() if name not in NOT_FOR_EVERY_TEXT]


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
        "나랏말ᄊᆞ미 \u115f\u1175\u11ab \u1112\u1160\u11ab \u110f\u1160",
        "❤️ ☺︎ ▶️ 5️⃣",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f 깃발",
    ],
)
def test_what_published_cleaners_break_comes_through_unchanged(text):
    assert clean(text, "", EVERYTHING) == (text, NO_REPAIRS)


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
    text, repairs = normalise(f"멀쩡한 줄\n{damage(sentence)}")
    assert text == f"멀쩡한 줄\n{sentence}"
    assert repairs.lines == num_lines


def test_text_is_composed_but_not_changed_into_other_letters():
    assert normalise(unicodedata.normalize("NFD", "한국어 ㅋㅋ"))[0] == "한국어 ㅋㅋ"
    assert normalise("ㅋㅠ ㆍ ㎏ ① ﾊ")[0] == "ㅋㅠ ㆍ ㎏ ① ﾊ"


def test_sentencepieces_space_mark_is_replaced_and_counted():
    assert clean("가▁나▁▁", "", []) == ("가_나__", Repairs(space_marks=3))


def test_control_characters_go_and_every_line_end_becomes_a_newline():
    text = "가\r\n나\r다\u2028라\0\x1b\u200b\u202e\ufeff마\u00ad바"
    assert normalise(text)[0] == "가\n나 다\n라마바"


@pytest.mark.parametrize(
    ("raw", "text", "num_private"),
    [
        ("\uf0b7 첫째\n\uf06c 둘째\n\uf0fc 셋째", "• 첫째\n• 둘째\n✓ 셋째", 3),
        ("대전\uf09e세종 \uf0e8 서울", "대전·세종 → 서울", 2),
        ("\U000f0854논어\U000f0855의 \U000f0852말\U000f0853", "『논어』의 “말”", 4),
        ("\U000f02b1 하나 \U000f02b9 아홉", "① 하나 ⑨ 아홉", 2),
        ("하로바\ueb82 손을", "하로바□ 손을", 1),
        ("끝난다.\ue001\uf8ff\U00100000\U000ff000", "끝난다.", 4),
    ],
)
def test_private_use_characters_are_replaced_or_dropped_and_counted(raw, text, num_private):
    assert clean(raw, "", EVERYTHING) == (text, Repairs(private_use=num_private))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("영화 리메이크\u3164ㄷㅚㅆ으면", "영화 리메이크됬으면"),
        ("\u3164ㄱㅏ\u3164 \u3164ㅎㅛㅇ", "가 횽"),
        ("\u3164ㄳㅏㄱ은 없다", "ㄳㅏㄱ은 없다"),
        ("가\u3164나", "가 나"),
        ("가\uffa0나", "가 나"),
        ("명령어에 부가\u115f된", "명령어에 부가된"),
        ("빈\u115f\u1160줄\u1160\u1160", "빈줄"),
        ("\u110f\u1160\u1160", "\u110f\u1160"),
    ],
)
def test_fillers_that_stand_for_no_letter_are_written_out_or_dropped(raw, text):
    cleaned, repairs = normalise(raw)
    assert cleaned == text
    assert repairs.fillers > 0


def test_one_scan_sees_all_that_is_taken_out():
    seen = {chr(code) for code in range(0xE0000) if UNSEEN.match(chr(code))}
    taken_out = re.compile("[\ue000-\uf8ff\u115f\u1160\u3164\uffa0\ud800-\udfff]")
    every = map(chr, range(0xE0000))
    assert seen == {each for each in every if CONTROL.match(each) or taken_out.match(each)}


def test_what_is_no_character_goes_and_tags_without_a_flag():
    raw = "독일\ufffc의 \ufdd0\uffff글\U000e0041\U000e007f cos\u2061θ"
    assert normalise(raw) == ("독일의 글 cosθ", NO_REPAIRS)


FILLERS = strategies.text("\u115f\u1160\u3164\uffa0ㄱㅏㄴ\u1100\u1161\u11a8\uf0b7\ue0bc가 \u200b")


@given(FILLERS)
def test_normalising_fillers_twice_changes_nothing_more(text):
    once = normalise(text)[0]
    assert normalise(once) == (once, NO_REPAIRS)


# Without control characters, which are parts of damaged Hangul, and without what normalising takes
# out (UNSEEN): with a character less, what is left may look like damaged Hangul, too.
VISIBLE = strategies.characters(
    exclude_categories=["Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"],
    exclude_characters="\u115f\u1160\u3164\uffa0",
    max_codepoint=0xDFFFF,
)


@given(strategies.text(VISIBLE))
def test_normalising_twice_changes_nothing_more(text):
    once = normalise(text)[0]
    assert normalise(once) == (once, NO_REPAIRS)


def test_a_title_is_put_before_a_text_that_lacks_it():
    assert clean("왕이다.", "세종", [])[0] == "세종\n\n왕이다."
    assert clean("세종은 왕이다.", "세종", [])[0] == "세종은 왕이다."


def test_what_entities_stand_for_is_normalised_too():
    raw = "가&#9601;나 &#4370;&#4449;&#4523; 다&#8203;라 &#xF0B7;"
    cleaned = clean(raw, "", [CLEANUPS["entities"]])
    assert cleaned == ("가_나 한 다라 •", Repairs(space_marks=1, private_use=1))
