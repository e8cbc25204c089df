"""Reads from a Hub of hub_server.py in a process of its own, because HF_ENDPOINT is read at import.

In that process pauses take milliseconds where libraries ask for seconds before they try again;
`paused` says how long they would have waited."""

import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import PROJECT
from tests.corpora.hub_server import REVISION

LONGEST_PAUSE = 0.005
sleep = time.sleep


class Answer(NamedTuple):
    """What a request to read something came to."""

    records: (
        list  # of a source [part, where, text, title, reason], of a task its rows, split by split
    )
    error: str  # a UserError's message, or nothing
    paused: float  # seconds


def run_python(
    port: int, home: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python with its Hub at `port` and `home` as its cache and folder."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HF_HUB_OFFLINE", "HF_TOKEN")
    }
    environment = {
        "HF_ENDPOINT": f"http://127.0.0.1:{port}",
        "HF_HOME": str(home),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PYTHONUTF8": "1",
        "PYTHONPATH": str(PROJECT),
        "USE_TORCH": "0",  # datasets imports torch for its streams where it can: seconds
    }
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        text=True,
        capture_output=True,
        env=inherited | environment | variables,
        cwd=home,
        timeout=60,
    )


def run_pipeline(port: int, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the pipeline, with short pauses."""
    return run_python(port, home, "-m", "tests.corpora.hub_client", "-m", "pipeline", *arguments)


def ask(
    port: int, home: Path, *requests: dict, timeout: float = 10, **variables: str
) -> list[Answer]:
    """Read what the requests name, one after another in one process; `timeout` is corpora.hub's.

    A source is asked for by its keys in a recipe, a task by {"task": ..., "splits": ...}.
    """
    message = json.dumps({"requests": requests, "timeout": timeout})
    done = run_python(port, home, "-m", "tests.corpora.hub_client", message, **variables)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return [Answer(**json.loads(line)) for line in done.stdout.splitlines()]


class Pauses:
    """What was asked of time.sleep in this process."""

    seconds = 0.0

    @classmethod
    def sleep(cls, seconds: float) -> None:
        cls.seconds += seconds
        sleep(min(seconds, LONGEST_PAUSE))


def read_source(keys: dict) -> Iterator[list]:
    from corpora.recipe import Source
    from corpora.sources.hub import open_hub, read_hub
    from corpora.sources.shards import Shard

    keys = {"kind": "hub", "licence": "mine", "revision": REVISION} | keys
    source = Source.from_table(keys, "a test")
    num_parts = open_hub(source).num_shards
    for part in range(num_parts):
        for record in read_hub(Shard(0, source, part=part, num_parts=num_parts)):
            yield [part, record.where, record.text, record.title, record.reason]


def read_task(task: str, splits: list[str], revision: str = REVISION) -> Iterator[list]:
    from corpora.tasks.rows import load_rows
    from corpora.tasks.task import TASKS

    for split in splits:
        yield load_rows("hub", TASKS[task], split, revision)


def answer(request: dict) -> Answer:
    from corpora.errors import UserError

    before = Pauses.seconds
    records = []
    error = ""
    try:
        for record in read_task(**request) if "task" in request else read_source(request):
            records.append(record)
    except UserError as user_error:
        error = str(user_error)
    return Answer(records, error, Pauses.seconds - before)


def main() -> None:
    time.sleep = Pauses.sleep
    if sys.argv[1] == "-m":
        del sys.argv[:2]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        return
    import corpora.hub

    message = json.loads(sys.argv[1])
    corpora.hub.TIMEOUT = message["timeout"]
    for request in message["requests"]:
        print(json.dumps(answer(request)._asdict()), flush=True)


if __name__ == "__main__":
    main()
