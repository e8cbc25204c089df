"""Morpheme boundaries: where they go, and that the text stays what it was."""

from pathlib import Path

import pytest
from konlpy.corpus import kobill, kolaw

from tokenizer.analysers import load_mecab
from tokenizer.morphemes import DELIMITER, find_starts, mark_lines
from tokenizer.quality.gate import NASTY_STRINGS

PATHS = (kolaw.abspath("constitution.txt"), kobill.abspath("1809890.txt"))
LINES = [line for path in PATHS for line in Path(path).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def mecab():
    return load_mecab().morphs


def test_a_boundary_stands_before_a_particle_and_none_beside_a_space(mecab):
    marked = mark_lines(["나는 학교에 간다"], mecab)
    assert marked.lines == [f"나{DELIMITER}는 학교{DELIMITER}에 간다"]


def test_mecab_changes_no_line_of_real_text_and_marks_all_of_them(mecab):
    marked, num_unmarked = mark_lines(LINES, mecab)
    assert [line.replace(DELIMITER, "") for line in marked] == LINES
    assert num_unmarked == 0
    assert sum(line.count(DELIMITER) for line in marked) > len(LINES)


def test_no_nasty_string_is_changed(mecab):
    strings = [text.replace(DELIMITER, "") for text in NASTY_STRINGS]
    marked = mark_lines(strings, mecab)
    assert [line.replace(DELIMITER, "") for line in marked.lines] == strings


def test_text_after_a_nul_is_analysed_too(mecab):
    assert mark_lines(["앞\0학교에서"], mecab) == ([f"앞\0학교{DELIMITER}에서"], 0)


def test_a_line_that_an_analyser_changes_or_chokes_on_stays_unmarked_and_is_counted():
    answers = {"낱말들": ["낱말", "들"], "했다": ["하", "였", "다"], "잃은 말": ["잃은"]}

    def analyse(line):
        if line == "raise":
            raise ValueError("boom")
        return answers[line]

    lines = ["낱말들", "했다", "raise", "잃은 말"]
    assert mark_lines(lines, analyse) == ([f"낱말{DELIMITER}들", *lines[1:]], 3)


@pytest.mark.parametrize(
    ("line", "morphemes", "starts"),
    [
        ("", [], []),
        ("  두  칸", ["두", "칸"], []),
        ("가나다", ["가", "나", "다"], [1, 2]),
        ("가가가", ["가", "가가"], [1]),
        ("나 다", ["나", " ", "다"], []),
        ("가나", ["나", "가"], None),
        ("가나", ["가"], None),
        ("가나", ["나"], None),
    ],
)
def test_morphemes_are_found_in_order_or_not_at_all(line, morphemes, starts):
    assert find_starts(line, morphemes) == starts
