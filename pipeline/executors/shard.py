"""One shard's work, and the file that holds its result. Who does the work isn't decided here."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import write_json
from pipeline.artifacts.locks import locked
from pipeline.artifacts.manifest import peak_memory_mb


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
        seconds = time.process_time() - start  # of one core
        write_json(path, {"result": result, "seconds": seconds, "peak_memory_mb": peak_memory_mb()})
