"""The log of a run: complete lines, no step twice, one writer."""

import pytest

from corpora.errors import UserError
from pipeline.training.tracking import (
    MetricsLog,
    needs_extra,
    no_tracker,
    numbers_in,
    read_metrics,
)


def test_a_line_goes_to_the_file_and_to_the_tracker(tmp_path):
    shown = []
    log = MetricsLog(tmp_path / "metrics.jsonl", shown.append, is_writer=True)
    log.add(step=1, loss=2.5)
    assert read_metrics(log.path) == shown == [{"step": 1, "loss": 2.5}]


def test_a_resumed_run_drops_what_it_will_do_again_and_half_a_line(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl", no_tracker, is_writer=True)
    for step in (1, 2, 3):
        log.add(step=step)
    with open(log.path, "a", encoding="utf-8") as file:
        file.write('{"step": 2, "lo')
    log.rewind(2)
    assert read_metrics(log.path) == [{"step": 1}, {"step": 2}]


def test_other_processes_write_nothing(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl", lambda values: pytest.fail("shown"), False)
    log.rewind(0)
    log.add(step=1)
    assert not log.path.exists()


def test_a_tracker_is_shown_numbers_only():
    assert numbers_in({"step": 3, "loss": 1.5, "event": "non-finite"}) == {"loss": 1.5}


def test_a_missing_library_is_told_with_the_command_that_installs_it():
    with pytest.raises(UserError, match="make install EXTRAS=tracking"), needs_extra("trackio"):
        raise ImportError("No module named 'trackio'")
