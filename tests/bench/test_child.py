"""A benchmark that is stopped ends what it started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.child import running
from tests.conftest import PROJECT, make_environment


def is_alive(pid: int) -> bool:
    """Whether a process runs, and isn't only waiting for its parent to take notice of its end."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_for_end(pid: int) -> bool:
    """Whether a process that was just killed ends; the kernel takes a moment."""
    for _ in range(500):
        if not is_alive(pid):
            return True
        time.sleep(0.01)
    return False


def test_what_a_child_started_ends_with_the_block_also_where_that_fails():
    with (
        pytest.raises(KeyError),
        running(["sh", "-c", "sleep 600 & echo $!; wait"], stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout
        grandchild = int(process.stdout.readline())
        raise KeyError
    assert process.returncode == -signal.SIGKILL
    assert wait_for_end(grandchild)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_benchmark_leaves_no_training(built, tiny_preset, stop):
    command = [sys.executable, "-m", "tests.bench", "--preset", tiny_preset, "--bench", "training"]
    bench = subprocess.Popen(
        [*map(str, command), "--artifacts", str(built / "artifacts")],
        cwd=PROJECT,
        env=make_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    training = None
    while training is None:
        assert bench.poll() is None
        training = find_training(bench.pid)
    os.kill(bench.pid, stop)
    assert bench.wait(60) != 0
    assert wait_for_end(training)


def find_training(parent: int) -> int | None:
    """The process that trains for a benchmark, once there is one."""
    ps = ["ps", "-o", "pid=,args=", "--ppid", str(parent)]
    listed = subprocess.run(ps, text=True, capture_output=True, check=False).stdout.splitlines()
    pids = [int(line.split()[0]) for line in listed if "tests.bench.train_ours" in line]
    return pids[0] if pids else None
