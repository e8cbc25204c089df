"""A worker process ends with its parent, even when that is killed."""

import os
import select
import signal
import subprocess
import sys

from tests.conftest import PROJECT

CODE = """
import os, sys, time
from multiprocessing import get_context
from corpora.processes import follow_parent

def work():
    follow_parent()
    os.kill(os.getpid(), 2)  # Ctrl-C is the parent's business
    print("working", flush=True)
    time.sleep(60)

if __name__ == "__main__":
    get_context("spawn").Process(target=work).start()
    time.sleep(60)
"""


def test_a_worker_ignores_ctrl_c_and_ends_when_its_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(CODE)
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment)
    with parent:
        assert parent.stdout.readline() == b"working\n"
        parent.send_signal(signal.SIGKILL)
        # The worker holds the other end of the pipe, too: it closes when the worker is gone.
        assert select.select([parent.stdout], [], [], 10)[0]
        assert parent.stdout.read() == b""
