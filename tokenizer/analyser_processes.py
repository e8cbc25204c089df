"""Morpheme analysers at work in processes of their own, which may die or hang without harm.

What an analyser is asked, and how its answer becomes a marked line, is in morphemes.py. (A pool of
concurrent.futures waits for ever when a worker is killed in the middle of an answer.)"""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final

from corpora.errors import UserError, require
from corpora.processes import follow_parent
from tokenizer.morphemes import Analyser, MarkedLines, mark_lines

Opener = Callable[[], Analyser]

CHUNK_LINES: Final = 500  # Okt needs 16 ms for the longest line, 8 s for as many
START_SECONDS: Final = 300
CHUNK_SECONDS: Final = 60  # an analyser at work on a chunk, or one line, for longer than this hangs
MAX_LOST: Final = 5  # lines that analysers may die or hang on before they're taken for broken
OPENED: Final = "opened"  # what a process says first
LOST: Final = (EOFError, OSError)  # how it shows that a process died or hung


def mark_chunks(lines: Iterable[str], opener: Opener, workers: int) -> Iterator[MarkedLines]:
    """Yield what `mark_lines` gives for each CHUNK_LINES lines, in order.

    Raises UserError if the analyser can't be opened, or dies or hangs again and again.
    """
    all_workers = [Worker(opener) for _ in range(workers)]
    busy: deque[Worker] = deque()
    try:
        for worker, chunk in zip(cycle(all_workers), _chunks(lines)):
            if len(busy) == workers:
                yield busy.popleft().receive()
            worker.send(chunk)
            busy.append(worker)
        for worker in busy:
            yield worker.receive()
    finally:
        for worker in all_workers:
            worker.stop()


def _chunks(lines: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(lines)
    while chunk := list(islice(iterator, CHUNK_LINES)):
        yield chunk


class Worker:
    """Marks one chunk of lines at a time, in an analyser process that is replaced when it is lost.

    After a loss the chunk's lines are done one by one, and only a line on which the process is lost
    again stays unmarked: a process that is killed by chance changes nothing.
    """

    def __init__(self, opener: Opener) -> None:
        self.opener = opener
        self.process: AnalyserProcess | None = None
        self.chunk: list[str] = []
        self.num_lost = 0

    def send(self, chunk: list[str]) -> None:
        """Begin to mark a chunk."""
        self.chunk = chunk
        self._running_process().send(chunk)

    def receive(self) -> MarkedLines:
        """Return the chunk's lines, marked, and how many of them had to stay unmarked.

        Raises UserError if the analyser can't be opened or is lost too often.
        """
        try:
            return self._running_process().receive()
        except LOST:
            self.stop()
        answers = [self._mark_alone(line) for line in self.chunk]
        marked = [line for answer in answers for line in answer.lines]
        return MarkedLines(marked, sum(answer.num_unmarked for answer in answers))

    def stop(self) -> None:
        """End the process, if there is one."""
        if self.process is not None:
            self.process.stop()
            self.process = None

    def _running_process(self) -> "AnalyserProcess":
        if self.process is None:
            self.process = AnalyserProcess(self.opener)
        return self.process

    def _mark_alone(self, line: str) -> MarkedLines:
        process = self._running_process()
        process.send([line])
        try:
            return process.receive()
        except LOST:
            self.stop()
        self.num_lost += 1
        when = f"on more than {MAX_LOST} lines" if process.was_opened else "when it starts"
        require(
            process.was_opened and self.num_lost <= MAX_LOST,
            f"The morpheme analyser dies or hangs {when}. Mend it, or set morphemes=none.",
        )
        print(
            f"warning: the morpheme analyser dies or hangs on this line: {line[:80]!r}",
            file=sys.stderr,
        )
        return MarkedLines([line], num_unmarked=1)


class AnalyserProcess:
    """A process with an analyser in it that marks chunks of lines until it is stopped, or lost."""

    def __init__(self, opener: Opener) -> None:
        context = get_context("spawn")  # a forked copy of a process that holds threads can hang
        self.connection, childs_end = context.Pipe()
        self.process = context.Process(target=serve, args=(childs_end, opener), daemon=True)
        self.was_opened = False
        self.process.start()
        childs_end.close()  # the child's alone, so that its death ends the connection

    def send(self, chunk: list[str]) -> None:
        """Ask for a chunk to be marked."""
        with suppress(OSError):  # it died, which receive() finds out
            self.connection.send(chunk)

    def receive(self) -> MarkedLines:
        """Return the answer; raises one of LOST, or what the opener raised."""
        if not self.was_opened:
            self._next_message(START_SECONDS)
            self.was_opened = True
        return self._next_message(CHUNK_SECONDS)

    def stop(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.join()
        self.connection.close()

    def _next_message(self, seconds: float) -> Any:
        if not self.connection.poll(seconds):
            raise TimeoutError  # an OSError
        message = self.connection.recv()
        if isinstance(message, UserError):
            raise message
        return message


def serve(connection: Connection, opener: Opener) -> None:
    """In the process: mark chunks until the parent closes the connection, or dies."""
    follow_parent()
    with suppress(*LOST):
        lines = connection.recv()
        try:
            analyse = opener()
        except UserError as error:
            connection.send(error)
            return
        connection.send(OPENED)
        while True:
            connection.send(mark_lines(lines, analyse))
            lines = connection.recv()
