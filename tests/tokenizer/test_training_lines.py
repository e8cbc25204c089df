"""Documents become lines, with morpheme boundaries, and nothing is lost."""

import pytest

from corpora.errors import UserError
from tests.tokenizer.misbehaving import open_changing
from tokenizer.analysers import ANALYSERS
from tokenizer.morphemes import DELIMITER
from tokenizer.training_lines import MAX_LINE, cut_into_lines, write_lines


def test_long_lines_are_cut_at_a_space_and_none_of_their_text_is_lost():
    text = "가나다 " * 5000 + "\n" + "라" * 10_000
    lines = list(cut_into_lines([text]))
    assert "".join(lines) == text.replace("\n", "")
    assert max(map(len, lines)) <= MAX_LINE
    assert all(line.startswith((" ", "라")) for line in lines[1:])


def test_no_line_holds_what_the_trainer_takes_for_a_mark_of_its_own():
    lines = list(cut_into_lines([f"가\t나\n다\0라{DELIMITER}마\u2585바\n\n"]))
    assert lines == ["가", "나", "다", "라", "마", "바"]


def test_without_an_analyser_lines_are_written_as_they_are(tmp_path):
    path = tmp_path / "lines"
    counts = write_lines(["나는 학교에\n간다", "가"], path, "none", workers=1)
    assert path.read_bytes().decode() == "나는 학교에\n간다\n가\n"
    assert counts == {"documents": 2, "bytes": 26, "lines": 3, "lines_unmarked": 0}


def test_with_an_analyser_a_mark_stands_where_a_morpheme_begins_in_a_word(tmp_path):
    path = tmp_path / "lines"
    counts = write_lines(["나는 학교에 간다"], path, "mecab", workers=1)
    assert path.read_bytes().decode() == f"나{DELIMITER}는 학교{DELIMITER}에 간다\n"
    assert counts["lines_unmarked"] == 0


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], "no Hangul.* 0 documents"),
        ([" \n", ""], "no Hangul"),
        (["plain English", "大韓民國"], "no Hangul.*'plain English'"),
    ],
)
def test_text_without_hangul_is_refused(documents, message, tmp_path):
    with pytest.raises(UserError, match=message):
        write_lines(documents, tmp_path / "lines", "none", workers=1)


def test_an_analyser_that_fails_on_most_lines_is_an_error_and_its_failures_are_counted(
    monkeypatch, tmp_path
):
    monkeypatch.setitem(ANALYSERS, "okt", open_changing)
    with pytest.raises(UserError, match="failed on 3 of 3 lines"):
        write_lines(["가나\n다라\n마바"], tmp_path / "lines", "okt", workers=1)
    monkeypatch.setattr("tokenizer.training_lines.MAX_UNMARKED", 1)
    counts = write_lines(["가나\n다라"], tmp_path / "lines", "okt", workers=1)
    assert (counts["lines"], counts["lines_unmarked"]) == (2, 2)
