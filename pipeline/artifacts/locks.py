"""Lock files. The kernel drops a lock with the process that holds it: none is ever stale."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(
    path: Path, shared: bool = False, waiting: str = "", wait: bool = True
) -> Iterator[None]:
    """Hold a lock file, shared with other holders or alone.

    While another process holds it: say `waiting` and wait, or, without `wait`, raise
    BlockingIOError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise
            if waiting:
                print(waiting, flush=True)
            fcntl.flock(file, kind)
        yield
