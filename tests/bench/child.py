"""A measured process, which never outlives the benchmark."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


@contextmanager
def running(command: list[str | int | Path], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a session of its own; all of it that is left ends with the block, however
    the block ends."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, text=True, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
