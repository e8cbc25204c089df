"""Cleaning repairs what is damaged, and leaves alone what published Korean cleaners break."""
import tomllib
import unicodedata

import pytest
from hypothesis import given, strategies

from corpora.cleaning.clean import (
    clean,
    drop_lines,
    drop_reasons,
    load_cleanups,
    normalise,
    repetition_share,
    split_text,
)
from corpora.duplicates.dedup import Texts
from corpora.errors import UserError
from corpora.recipe import KEYS, Recipe, Source
from tests.conftest import PROJECT


def source(**settings):
    return Source(**{"name": "s", "kind": "files", "licence": "mine", "paths": ("*",), **settings})


def recipe(*sources, **settings):
    return Recipe("t", "d", 0.1, sources, **settings)


CLEANUPS = load_cleanups(recipe())
TABLE = tomllib.loads((PROJECT / "corpora" / "cleanups.toml").read_text(encoding="utf-8"))
EVERYTHING = [step for name, step in CLEANUPS.items() if name not in ("wiki_headings", "unwrap")]


def drop_reason(text, **limits):
    return drop_reasons(Texts([text]), [text], source(**limits))[0]


@pytest.mark.parametrize("text", [
    "안녕ㅋㅋㅋ", "1000000원", "2020-01-01", "0000000000", "ᄒᆞᆫ글", "www.naver.com", "재밌다ㅠㅠ!!", "A·B ㆍ ½ ① ㎏",
    "x@naver.com으로 보냈다", "3<5이고 AT&T와 R&D", "점수는 1:0 (연장)", "f(x, y)", "“따옴표” ‘작은’ ﬁ ＡＢＣ", "👨‍👩‍👧 가족",
    "Città–Stazione는 역이다", "São Paulo, Patočka, Ñandú", "별점까기. ····", "For Prodo····", "20\u00d7600억",
])
def test_what_published_cleaners_break_comes_through_unchanged(text):
    assert clean(text, "", EVERYTHING) == (text, 0, 0)


@pytest.mark.parametrize("text, expected", [
    ("안녕ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ", "안녕ㅋㅋㅋㅋㅋㅋ"), ("좋아ㅋㅎㅋㅎㅋㅎㅋㅎㅋㅎ", "좋아ㅋㅎㅋㅎㅋㅎ"), ("와!!!!!!!!!!", "와!!!!!!"),
    ("10000000000000원........", "10000000000000원......"), ("와아아아아아아아아", "와아아아아아아"),
])
def test_runs_are_cut_to_six_characters_and_digits_never(text, expected):
    assert CLEANUPS["repeats"](text) == expected


@pytest.mark.parametrize("damage, num_lines", [
    (lambda text: text.encode("cp949").decode("latin-1"), 1), (lambda text: text.encode().decode("latin-1"), 1),
    (lambda text: text, 0)])
def test_damaged_encodings_are_repaired_line_by_line(damage, num_lines):
    sentence = "가나다 마바사는 “대한민국” 글자다."
    assert normalise(f"멀쩡한 줄\n{damage(sentence)}")[:2] == (f"멀쩡한 줄\n{sentence}", num_lines)


def test_text_is_composed_but_not_changed_into_other_letters():
    assert normalise(unicodedata.normalize("NFD", "한국어 ㅋㅋ"))[0] == "한국어 ㅋㅋ"
    assert normalise("ㅋㅠ ㆍ ㎏ ① ﾊ")[0] == "ㅋㅠ ㆍ ㎏ ① ﾊ"


def test_sentencepieces_space_mark_is_replaced_and_counted():
    assert clean("가▁나▁▁", "", []) == ("가_나__", 0, 3)


def test_control_characters_go_and_every_line_end_becomes_a_newline():
    assert normalise("가\r\n나\r다\u2028라\0\x1b\u200b\u202e\ufeff마\u00ad바")[0] == "가\n나 다\n라마바"


# Without control characters, which are parts of damaged Hangul: with one of them taken out, the rest may be Hangul, too.
@given(strategies.text(strategies.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_normalising_twice_changes_nothing_more(text):
    once = normalise(text)[0]
    assert normalise(once) == (once, 0, 0)


@given(strategies.text(alphabet="가ㅋ .\n제1조()*<[]|&;lt-#`", max_size=60))
def test_no_clean_up_fails_on_any_text(text):
    for function in CLEANUPS.values():
        assert isinstance(function(text), str)


@pytest.mark.parametrize("name, text, expected", [
    ("entities", "&lt;책&gt; &amp;quot; &#39; R&D &copy AT&T;", "<책> \" ' R&D &copy AT&T;"),
    ("wiki_headings", "세종\n\n왕이다.\n개요.\n생애.\n태어났다.\n같이 보기.\n외부 링크.\n", "세종\n\n왕이다.\n생애\n태어났다."),
    ("wiki_headings", "벗어난끝바꿈\n\n", ""),
    ("wiki_headings", "에어\n\n에어(air)는 다음을 가리키는 말이다.\n", ""),
    ("wiki_headings", "591\n\n591(오백구십일)은 590보다 크고 592보다 작은 자연수이다.\n", ""),
    ("wiki_headings", "에디\n\n에디는 이름이다. 다른 뜻은 다음과 같다.", "에디\n\n에디는 이름이다. 다른 뜻은 다음과 같다."),
    ("wiki_headings", "손휴\n\n왕이다.\n죽음.\n앓았다.\n기록 없음.\n각주.\n내용주.\n『오서』 3권\n외부 링크.\n공식 사이트\n참고 문헌.\n『사기』\n이 글은 『사기』에 기댔다.",
     "손휴\n\n왕이다.\n죽음\n앓았다.\n기록 없음.\n참고 문헌\n이 글은 『사기』에 기댔다."),
    ("unwrap", "  초등학교 저학년의 경우에도 부모의 따뜻한 사랑과 보살핌이 필요\n\n한 나이이나, 육아휴직을 할 \n\n수 있는 나이는 만 6세이다.\n\n  둘째",
     "  초등학교 저학년의 경우에도 부모의 따뜻한 사랑과 보살핌이 필요한 나이이나, 육아휴직을 할 수 있는 나이는 만 6세이다.\n  둘째"),
    ("whitespace", " 가  나\u3000다\t라 \n\n\n\n 마", " 가 나 다 라\n\n마"),
    *[(name, before, after) for name, entry in TABLE.items() for before, after in entry["examples"]],
])
def test_each_clean_up_does_what_its_name_says(name, text, expected):
    assert CLEANUPS[name](text) == expected


def test_a_title_is_put_before_a_text_that_lacks_it():
    assert clean("왕이다.", "세종", [])[0] == "세종\n\n왕이다."
    assert clean("세종은 왕이다.", "세종", [])[0] == "세종은 왕이다."


@pytest.mark.parametrize("text, reason", [
    ("", "empty"), ("짧다", "too short"), ("Only English here, nothing else", "too little Hangul"),
    ("1234567890", "too little Hangul"), ("같은 줄이다.\n" * 9, "repeated lines"), ("최고최고 " * 50, "repetitive"),
    ("가 ---- ==== ++++ ////", "too many symbols"), ("재밌는 영화였어요 ㅋㅋ", ""), ("ᄒᆞᆫ글ᄋᆞᆯ ᄡᅳᄂᆞ니라", ""),
])
def test_a_document_is_dropped_for_one_stated_reason(text, reason):
    assert drop_reason(text.strip(), min_chars=5, max_symbols=0.5, max_repetition=0.9) == reason


def test_documents_of_a_batch_are_judged_one_by_one():
    batch = ["가나다 abcd", "가나다 abc", "", "12", "가\n나\n가\n다"]
    assert drop_reasons(Texts(batch), batch, source(min_hangul=0.5, max_repeated_lines=0.2)) == [
        "too little Hangul", "", "empty", "too little Hangul", "repeated lines"]
    assert drop_reason("12", min_hangul=0.0) == ""


def test_lines_over_a_limit_are_taken_out_with_their_reason():
    batch = ["첫 줄은 남는다\n---- ====\n\n짧다\n남는 줄이다\n남는 줄이다!\n남는 줄이다\n마지막 줄", "손대지 않는 글이다", "한 줄\n" + "긴 " * 50]
    limits = source(line_min_chars=3, line_max_chars=60, line_max_symbols=0.5, line_max_copies=2)
    texts, dropped = drop_lines(Texts(batch), batch, limits)
    assert texts == ["첫 줄은 남는다\n\n남는 줄이다\n남는 줄이다!\n마지막 줄", "손대지 않는 글이다", "한 줄"]
    assert dropped == [(0, "---- ====", "line of symbols"), (0, "짧다", "line too short"),
                       (0, "남는 줄이다", "line repeated"), (2, "긴 " * 50, "line too long")]
    assert drop_lines(Texts(batch), batch, source())[0] == batch
    english = drop_lines(Texts(["한글 줄\nEnglish line\n2020"]), ["한글 줄\nEnglish line\n2020"], source(line_min_hangul=0.2))
    assert english[0] == ["한글 줄"]


def test_prose_is_not_called_repetitive():
    assert repetition_share("대한민국은 민주공화국이다. 모든 권력은 국민으로부터 나온다.") < 0.3


def test_a_recipe_brings_clean_ups_of_its_own():
    mine = {"my_mark": {"replace": [["※", "※\\s*(\\S)", "\\1"]]}}
    steps = load_cleanups(recipe(source(clean=("my_mark",)), cleanup=mine))
    assert steps["my_mark"]("※ 주의") == "주의"
    for broken in ({"replace": [["", "(", ""]]}, {"replace": [["", "a", "\\1"]]}, {"replace": [["a", "b"]]}, {}):
        with pytest.raises(UserError, match="clean-up 'bad': needs replace"):
            load_cleanups(recipe(cleanup={"bad": broken}))
    with pytest.raises(UserError, match="Did you mean 'entities'"):
        load_cleanups(recipe(source(clean=("entitys",))))


@given(strategies.text(alphabet="가나\n 제1조", max_size=400), strategies.sampled_from(KEYS["source"]["split"]["among"]))
def test_pieces_of_a_cut_text_join_to_the_text(text, split):
    pieces = split_text(text, split, 100)
    assert "".join(pieces) == text
    for piece in pieces:
        assert split == "none" or len(piece.encode()) <= 100 or "\n" not in piece[:-1]


def test_statutes_are_cut_before_articles():
    articles = [f"제{number}조 (목적) 이 법은 국민의 권리를 지킨다.\n" for number in range(1, 9)]
    assert split_text("총칙\n" + "".join(articles), "article", 64) == ["총칙\n", *articles]
    chapter = "제2장 벌칙\n\n제1절 과태료\n"
    assert split_text(articles[0] + chapter + articles[1], "article", 110) == [articles[0], chapter + articles[1]]


def test_what_entities_stand_for_is_normalised_too():
    text, _, num_space_marks = clean("가&#9601;나 &#4370;&#4449;&#4523; 다&#8203;라", "", [CLEANUPS["entities"]])
    assert text == "가_나 한 다라"
    assert num_space_marks == 1
