"""One shard's work, and the file that holds its result. Who does the work isn't decided here."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from pipeline.artifacts.files import write_json
from pipeline.artifacts.locks import locked
from pipeline.artifacts.manifest import peak_memory_mb


class ShardResult(TypedDict):
    """What lies in a finished shard's file."""

    result: Any
    seconds: float  # of one core
    peak_memory_mb: int  # of the process that did it


def run_shard(function: Callable[[Any], Any], item: Any, path: Path) -> None:
    """Do one shard's work, unless it is done.

    The result's file is written last, and says that the shard is finished. The lock is against
    another job of an array, or a task that Ray starts again while the first one still runs.
    """
    with locked(path.with_suffix(".lock")):
        if path.exists():
            return
        start = time.process_time()
        result = function(item)
        seconds = time.process_time() - start
        write_json(
            path, ShardResult(result=result, seconds=seconds, peak_memory_mb=peak_memory_mb())
        )


def read_result(path: Path) -> ShardResult:
    """Read what run_shard wrote."""
    return json.loads(path.read_text(encoding="utf-8"))
