"""Analysers in processes of their own: whatever happens to those, every line comes back."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from corpora.errors import UserError
from tests.conftest import PROJECT
from tests.tiny_tokenizer import ARTICLES
from tests.tokenizer.misbehaving import (
    open_characters,
    open_dead,
    open_mortal,
    open_sleeping,
    open_treacherous,
)
from tokenizer.analyser_processes import Worker, mark_chunks
from tokenizer.analysers import open_mecab
from tokenizer.morphemes import DELIMITER, mark_lines

PARENT = """
import time
from tests.tokenizer.misbehaving import open_treacherous
from tokenizer.analyser_processes import AnalyserProcess
if __name__ == '__main__':
    process = AnalyserProcess(open_treacherous)
    process.send(['멈춘다'])
    process.connection.recv()
    print(process.process.pid, flush=True)
    time.sleep(1000)
"""


def mark(lines, opener, workers=1):
    """All lines marked, and how many had to stay unmarked."""
    chunks = list(mark_chunks(lines, opener, workers))
    marked = [line for chunk in chunks for line in chunk.lines]
    return marked, sum(chunk.num_unmarked for chunk in chunks)


def test_the_result_does_not_depend_on_the_number_of_workers(monkeypatch):
    monkeypatch.setattr("tokenizer.analyser_processes.CHUNK_LINES", len(ARTICLES) // 10)
    marked = mark(ARTICLES, open_mecab)
    assert marked == mark(ARTICLES, open_mecab, workers=2)
    assert marked == mark(ARTICLES, open_mecab, workers=3)


def test_lines_on_which_the_analyser_hangs_or_dies_stay_unmarked_and_the_others_do_not(
    monkeypatch, capsys
):
    monkeypatch.setattr("tokenizer.analyser_processes.CHUNK_SECONDS", 0.5)
    # So that both workers get some.
    monkeypatch.setattr("tokenizer.analyser_processes.CHUNK_LINES", 2)
    lines = ["가나", "멈춘다", "다라", "죽는다", "마바"]
    marked, num_unmarked = mark(lines, open_treacherous, workers=2)
    assert marked == [
        f"가{DELIMITER}나",
        "멈춘다",
        f"다{DELIMITER}라",
        "죽는다",
        f"마{DELIMITER}바",
    ]
    assert num_unmarked == 2
    warnings = capsys.readouterr().err
    assert [line for line in lines if line in warnings] == ["멈춘다", "죽는다"]


def test_a_process_killed_by_chance_changes_nothing(tmp_path):
    once = tmp_path / "killed"
    marked = mark(["가나", "다라"], partial(open_mortal, once))
    assert once.exists()
    assert marked == ([f"가{DELIMITER}나", f"다{DELIMITER}라"], 0)


def test_a_process_killed_while_it_answers_changes_nothing():
    # Marked they are more than a pipe holds.
    lines = [f"{number} " + "가나" * 2000 for number in range(20)]
    worker = Worker(open_characters)
    try:
        worker.send(lines)
        process = worker.process
        assert process is not None
        process.connection.recv()  # that it is opened
        process.was_opened = True
        # The first bytes of its answer; for the others it waits until somebody reads.
        assert process.connection.poll(60)
        os.kill(process.process.pid, signal.SIGKILL)
        process.process.join()
        assert worker.receive() == mark_lines(lines, list)
    finally:
        worker.stop()


def test_an_analyser_that_dies_again_and_again_is_an_error(monkeypatch, capsys):
    monkeypatch.setattr("tokenizer.analyser_processes.MAX_LOST", 1)
    with pytest.raises(UserError, match="dies or hangs on more than 1 lines"):
        mark(["죽는다"] * 3, open_treacherous)
    assert "죽는다" in capsys.readouterr().err


def test_an_analyser_that_hangs_when_it_starts_is_an_error(monkeypatch):
    monkeypatch.setattr("tokenizer.analyser_processes.START_SECONDS", 1)
    with pytest.raises(UserError, match="dies or hangs when it starts"):
        mark(["가나"], open_sleeping)


def test_an_analyser_that_dies_when_it_starts_is_an_error():
    with pytest.raises(UserError, match="dies or hangs when it starts"):
        mark(["가나"], open_dead)


def test_no_lines_need_no_process():
    worker = Worker(open_dead)
    assert mark([], open_dead) == ([], 0)
    worker.stop()
    assert worker.process is None


def test_analysers_end_when_their_parent_is_killed():
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not is_running(child)


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
