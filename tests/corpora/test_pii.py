"""What counts as personal data and what only looks like it (personal_data_examples.toml)."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.pii import KINDS, replace_personal_data
from corpora.settings import read_toml

MODES = ("keep", "placeholder", "pseudonym")
EXAMPLES = read_toml(Path(__file__).with_name("personal_data_examples.toml"))
FOUND = [(text, expected) for rows in EXAMPLES["found"].values() for text, expected in rows]
LEFT_ALONE = [text for texts in EXAMPLES["left_alone"].values() for text in texts]


@pytest.mark.parametrize(("text", "expected"), FOUND, ids=[text for text, _ in FOUND])
def test_personal_data_becomes_placeholders(text, expected):
    replaced, counts = replace_personal_data(text, "placeholder")
    assert replaced == expected
    words = {name: kind.placeholder for name, kind in KINDS.items()}
    assert counts == {
        name: expected.count(word) for name, word in words.items() if word in expected
    }


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_only_looks_like_personal_data_stays(text):
    assert replace_personal_data(text, "placeholder") == (text, {})


def test_there_is_an_example_of_every_kind():
    for kind in KINDS.values():
        assert any(kind.placeholder in expected for _, expected in FOUND)


@pytest.mark.parametrize(
    ("value", "pseudonym"),
    [
        ("a@b.kr", r"user\d{4}@example\.com"),
        ("010-1234-5678", r"010-0000-\d{4}"),
        ("900101-1234567", r"000000-000\d{4}"),
        ("900101-5234567", r"000000-500\d{4}"),
        ("4111-1111-1111-1111", r"0000-0000-0000-\d{4}"),
        ("신한 110-123-456789", r"신한 000-0000-\d{4}"),
        ("여권 M12345678", r"여권 M0000\d{4}"),
        ("11-22-123456-78", r"00-00-00\d{4}-00"),
        ("211.234.56.78", r"203\.0\.113\.\d{1,3}"),
    ],
)
def test_pseudonyms_have_the_form_of_the_value_and_are_impossible(value, pseudonym):
    replaced, counts = replace_personal_data(f"{value}은 비밀", "pseudonym")
    assert re.fullmatch(f"{pseudonym}은 비밀", replaced)
    assert list(counts.values()) == [1]
    for words in ("", "계좌 주민 전화 여권 면허 IP "):  # in the best of surroundings it is nothing
        text = words + replaced
        assert replace_personal_data(text, "placeholder") == (text, {})


@pytest.mark.parametrize(
    "same",
    [
        (
            "010-1234-5678",
            "01012345678",
            "010.1234.5678",
            "(010) 1234-5678",
            "+82 10-1234-5678",
            "+82-(0)10-1234-5678",
            "+821012345678",
            "82-10-1234-5678",
            "０１０－１２３４－５６７８",
            "0 1 0 - 1 2 3 4 - 5 6 7 8",
            "010\u200b·1234·5678",
        ),
        ("02-736-6990", "02)736-6990", "+82-2-736-6990"),
        ("900101-1234568", "9001011234568", "900101 – 1234568"),
        ("4111-1111-1111-1111", "4111111111111111"),
        ("Hong@Naver.com", "hong@naver.com", "hong (at) naver . com", "ｈｏｎｇ＠naver．com"),
        ("계좌 110-123-456789", "계좌 110123456789"),
    ],
)
def test_a_value_has_one_pseudonym_however_it_is_written(same):
    assert len({replace_personal_data(value, "pseudonym")[0] for value in same}) == 1


def test_different_values_nearly_always_have_different_pseudonyms():
    phones = [f"010-{5000 + number}-{number:04}" for number in range(100)]
    assert len({replace_personal_data(phone, "pseudonym")[0] for phone in phones}) >= 95
    addresses = [f"211.234.56.{number}" for number in range(10, 20)]
    assert len({replace_personal_data(address, "pseudonym")[0] for address in addresses}) >= 8


def test_keep_counts_nothing():
    assert replace_personal_data("010-1234-5678", "keep") == ("010-1234-5678", {})


def test_words_brought_nearer_by_a_replacement_are_seen_at_once():
    text = "계좌는 hong.gildong.the.second@naver.com에게 110-123-456789"
    replaced, counts = replace_personal_data(text, "placeholder")
    assert replaced == "계좌는 [이메일]에게 [계좌번호]"
    assert counts == {"email": 1, "bank_account": 1}


NAKED = ("010-1234-5678", "900101-1234567", "4111-1111-1111-1111", "kim@naver.com", "211.234.56.78")
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u3164"


@given(st.sampled_from(NAKED), st.data(), st.sampled_from(MODES[1:]))
def test_a_value_is_found_whatever_is_wide_in_it_and_whatever_unseen_between(value, data, mode):
    disguised = "".join(
        data.draw(st.sampled_from((sign, sign.translate(WIDE))))
        + data.draw(st.text(UNSEEN, max_size=1))
        for sign in value
    )
    plain, counts = replace_personal_data(f"가 {value}로", mode)
    assert replace_personal_data(f"가 {disguised}로", mode) == (plain, counts)


@given(st.text(max_size=60))
def test_a_text_without_personal_data_is_the_same_object(text):
    replaced, counts = replace_personal_data(text, "placeholder")
    assert counts or replaced is text


def test_only_the_disguised_value_is_replaced_and_the_rest_stays_as_it_was():
    text = "Ｔｅｌ：①　０１０－１２３４－５６７８。\u200b끝 ㅡ ２０２０년\n１２３"
    replaced, _ = replace_personal_data(text, "placeholder")
    assert replaced == "Ｔｅｌ：①　[전화번호]。\u200b끝 ㅡ ２０２０년\n１２３"


SMALL_PIECES = ("010", "-", " ", "\n", "(", "@", ".", "0", "계좌", "1234", "여권")
PIECES = [*(text for text, _ in FOUND), *LEFT_ALONE, *SMALL_PIECES]
ODD = st.one_of(st.sampled_from(PIECES), st.text(max_size=4), st.from_regex("[-0-9. @:a-f]{0,9}"))


@given(st.lists(ODD, max_size=8), st.sampled_from(MODES[1:]))
def test_replacing_twice_changes_nothing_more(pieces, mode):
    once, _ = replace_personal_data("".join(pieces), mode)
    assert replace_personal_data(once, mode) == (once, {})


@given(
    st.text("0123456789-. ()+@:abcM０１２－．＠①⓪·ㅡ\u200b\ud800계좌호IP여권", max_size=80),
    st.sampled_from(MODES),
)
def test_no_text_is_too_odd(text, mode):
    replaced, counts = replace_personal_data(text, mode)
    assert (replaced == text) == (not counts)


@pytest.mark.parametrize(
    "piece",
    [
        "1 2 3 ",
        "a@",
        "a.a@a.a",
        "010-1234-5678 ",
        "1.1.1.1.",
        "2001:1:",
        "계좌 1234567 ",
        "１ ",
        "1 1-",
        "a @ ",
    ],
)
def test_a_long_run_takes_linear_time(piece):
    start = time.perf_counter()
    replace_personal_data(piece * 20_000, "placeholder")
    assert time.perf_counter() - start < 10  # quadratic, it would take minutes
