"""What happens on SIGTERM and Ctrl-C while a model trains: the step under way is finished, so that
the loop can save and stop."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def postponing_signals() -> Iterator[list[str]]:
    """Within it SIGTERM and SIGINT only leave their names in the list that it yields, so that a
    step is never cut in half.

    A second Ctrl-C ends the process at once. Any number of SIGTERMs don't: torchrun forwards one
    after Slurm or systemd has sent one to every process, and sends another when a process has
    ended. It forwards Ctrl-C once; the processes aren't in the terminal's group.
    """
    received: list[str] = []

    def remember(number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if number == signal.SIGINT and name in received:  # impatience: don't wait for the step
            os._exit(128 + number)
        received.append(name)

    handlers_before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number in SIGNALS:
            signal.signal(number, remember)
        yield received
    finally:
        for number, handler in handlers_before.items():
            signal.signal(number, handler)


def farewell(done: int, signals: list[str]) -> str:
    """What is said when a run stops because it was told to."""
    cause = signals[0] if signals else "another process"
    return (
        f"pretrain: stopped by {cause} after step {done}; the state is saved. The same command "
        "continues from there."
    )
