"""Signals while a model trains: noted, not obeyed at once, and only as long as that is wanted."""

import os
import signal
import subprocess
import sys

import pytest

from pipeline.training.interruption import postponing_signals
from tests.conftest import PROJECT

TOLD = """
import os, signal, sys
from pipeline.training.interruption import postponing_signals
with postponing_signals():
    for name in sys.argv[1:]:
        os.kill(os.getpid(), signal.Signals[name])
    print("still here")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_its_name_and_the_handlers_before_come_back(number):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with postponing_signals() as received:
        os.kill(os.getpid(), number)
        assert received == [signal.Signals(number).name]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_the_handlers_come_back_after_an_error_too():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ValueError, match="in the loop"), postponing_signals():
        raise ValueError("in the loop")
    assert signal.getsignal(signal.SIGTERM) == before


def run_told(*names: str) -> subprocess.CompletedProcess[str]:
    """A process that gets these signals while it trains."""
    command = [sys.executable, "-c", TOLD, *names]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "names",
    [
        ("SIGTERM", "SIGTERM", "SIGTERM"),
        ("SIGTERM", "SIGINT"),
        ("SIGINT", "SIGTERM", "SIGTERM"),
    ],
)
def test_a_signal_that_comes_by_two_ways_is_no_reason_to_lose_the_state(names):
    done = run_told(*names)
    assert (done.returncode, done.stdout) == (0, "still here\n")


def test_a_second_ctrl_c_ends_the_process_at_once():
    done = run_told("SIGINT", "SIGTERM", "SIGINT")
    assert (done.returncode, done.stdout) == (128 + signal.SIGINT, "")
