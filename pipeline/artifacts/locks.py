"""Lock files. The kernel drops a lock with the process that holds it: none is ever stale."""

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpora.errors import UserError

WITHOUT_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
"""What flock says on a file system that has no locks."""


@contextmanager
def locked(
    path: Path, shared: bool = False, waiting: str = "", wait: bool = True
) -> Iterator[None]:
    """Hold a lock file, shared with other holders or alone.

    While another process holds it: say `waiting` and wait, or, without `wait`, raise
    BlockingIOError. Raises UserError on a file system without locks.
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
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise
            raise UserError(
                f"{path}: this file system has no locks (flock: {error.strerror}), without which "
                "two runs at once could write over each other. Keep artifacts/ on another one (a "
                "link will do), or mount it with flock."
            ) from error
        yield
