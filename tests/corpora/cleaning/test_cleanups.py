"""Each clean-up does what its examples say, and a recipe brings its own."""

import pytest
from hypothesis import given, strategies

from corpora.cleaning.cleanups import TABLE, load_cleanups
from corpora.errors import UserError
from corpora.settings import read_toml
from tests.corpora.small_recipe import make_recipe, make_source

CLEANUPS = load_cleanups(make_recipe())
EXAMPLES = [
    (name, before, after)
    for name, cleanup in read_toml(TABLE).items()
    for before, after in cleanup["examples"]
]


@pytest.mark.parametrize("name, before, after", EXAMPLES)
def test_each_clean_up_of_the_table_does_what_its_examples_say(name, before, after):
    assert CLEANUPS[name](before) == after


def test_every_clean_up_of_the_table_says_what_it_does_and_shows_it():
    for cleanup in read_toml(TABLE).values():
        assert cleanup["about"].endswith(".")
        assert cleanup["examples"]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("안녕ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ", "안녕ㅋㅋㅋㅋㅋㅋ"),
        ("좋아ㅋㅎㅋㅎㅋㅎㅋㅎㅋㅎ", "좋아ㅋㅎㅋㅎㅋㅎ"),
        ("와!!!!!!!!!!", "와!!!!!!"),
        ("10000000000000원........", "10000000000000원......"),
        ("와아아아아아아아아", "와아아아아아아"),
    ],
)
def test_runs_are_cut_to_six_characters_and_digits_never(text, expected):
    assert CLEANUPS["repeats"](text) == expected


def test_entities_become_characters_and_bare_ampersands_stay():
    text = "&lt;책&gt; &amp;quot; &#39; R&D &copy AT&T;"
    assert CLEANUPS["entities"](text) == "<책> \" ' R&D &copy AT&T;"


BACK_MATTER = (
    "손휴\n\n왕이다.\n죽음.\n앓았다.\n기록 없음.\n각주.\n내용주.\n『오서』 3권\n"
    "외부 링크.\n공식 사이트\n참고 문헌.\n『사기』\n이 글은 『사기』에 기댔다."
)


@pytest.mark.parametrize(
    "page, expected",
    [
        (
            "세종\n\n왕이다.\n개요.\n생애.\n태어났다.\n같이 보기.\n외부 링크.\n",
            "세종\n\n왕이다.\n생애\n태어났다.",
        ),
        ("벗어난끝바꿈\n\n", ""),
        ("에어\n\n에어(air)는 다음을 가리키는 말이다.\n", ""),
        ("591\n\n591(오백구십일)은 590보다 크고 592보다 작은 자연수이다.\n", ""),
        (
            "에디\n\n에디는 이름이다. 다른 뜻은 다음과 같다.",
            "에디\n\n에디는 이름이다. 다른 뜻은 다음과 같다.",
        ),
        (
            BACK_MATTER,
            "손휴\n\n왕이다.\n죽음\n앓았다.\n기록 없음.\n참고 문헌\n이 글은 『사기』에 기댔다.",
        ),
    ],
    ids=["empty headings", "redirect", "ambiguous title", "number", "prose", "back matter"],
)
def test_a_wiki_page_keeps_its_text_and_the_headings_above_it(page, expected):
    assert CLEANUPS["wiki_headings"](page) == expected


def test_lines_that_a_pages_width_broke_are_joined():
    text = (
        "  초등학교 저학년의 경우에도 부모의 따뜻한 사랑과 보살핌이 필요\n\n"
        "한 나이이나, 육아휴직을 할 \n\n"
        "수 있는 나이는 만 6세이다.\n\n"
        "  둘째"
    )
    assert CLEANUPS["unwrap"](text) == (
        "  초등학교 저학년의 경우에도 부모의 따뜻한 사랑과 보살핌이 필요한 나이이나, "
        "육아휴직을 할 수 있는 나이는 만 6세이다.\n"
        "  둘째"
    )


@given(strategies.text(alphabet="가ㅋ .\n제1조()*<[]|&;lt-#`", max_size=60))
def test_no_clean_up_fails_on_any_text(text):
    for cleanup in CLEANUPS.values():
        assert isinstance(cleanup(text), str)


def test_a_recipe_brings_clean_ups_of_its_own():
    mine = {"my_mark": {"replace": [["※", "※\\s*(\\S)", "\\1"]]}}
    steps = load_cleanups(make_recipe(make_source(clean=("my_mark",)), cleanup=mine))
    assert steps["my_mark"]("※ 주의") == "주의"


def test_a_substitution_runs_only_on_text_that_holds_what_it_needs():
    mine = {"my_mark": {"replace": [["※", "가", "나"]]}}
    step = load_cleanups(make_recipe(cleanup=mine))["my_mark"]
    assert step("가가") == "가가"
    assert step("※가") == "※나"


@pytest.mark.parametrize(
    "broken",
    [
        {"replace": [["", "(", ""]]},
        {"replace": [["", "a", "\\1"]]},
        {"replace": [["a", "b"]]},
        {"replace": [[1, "b", ""]]},
        {"replace": [], "exampels": []},
        {},
    ],
    ids=["pattern", "replacement", "two of three", "number", "unknown key", "nothing"],
)
def test_a_clean_up_that_is_not_valid_is_refused_by_its_name(broken):
    with pytest.raises(UserError, match="clean-up 'bad': needs replace = "):
        load_cleanups(make_recipe(cleanup={"bad": broken}))


def test_a_bad_pattern_is_refused_with_what_is_wrong_in_it():
    with pytest.raises(UserError, match="unterminated subpattern at position 0"):
        load_cleanups(make_recipe(cleanup={"bad": {"replace": [["", "(", ""]]}}))


def test_an_unknown_clean_up_is_refused_with_the_nearest_and_all_others():
    with pytest.raises(UserError, match=r"Did you mean 'entities'\? Known: entities, "):
        load_cleanups(make_recipe(make_source(clean=("entitys",))))
