"""Signals while a model trains: noted, not obeyed at once, and only as long as that is wanted."""

import os
import signal
import subprocess
import sys

import pytest

from pipeline.training.interruption import postponing_signals
from tests.conftest import PROJECT

STUBBORN = """
import os, signal
from pipeline.training.interruption import postponing_signals
with postponing_signals():
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
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


def test_a_second_signal_ends_the_process_at_once():
    command = [sys.executable, "-c", STUBBORN]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stdout == ""
