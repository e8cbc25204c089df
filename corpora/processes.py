"""How the project's worker processes behave: what they do on Ctrl-C, and when their parent dies."""

import os
import signal
import threading
from multiprocessing import connection, parent_process


def follow_parent() -> None:
    """Make a worker process leave Ctrl-C to its parent, and end when its parent does.

    It ends even when the parent is killed, which tells nobody.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
