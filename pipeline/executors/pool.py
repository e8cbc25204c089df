"""One shard's work, and many shards in a pool of processes on this machine."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from corpora.errors import as_user_error
from corpora.processes import follow_parent
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


def run_in_pool(
    function: Callable[[Any], Any], todo: list[tuple[Any, Path]], workers: int, description: str
) -> Iterator[None]:
    """Do the shards in a pool of processes; yield after each.

    A shard that fails cancels those that aren't begun. Raises UserError when a process dies.
    """
    worker_died = as_user_error(
        f"{description}: a worker process died, killed or out of memory",
        "Finished shards are kept: run the same command again, with WORKERS=1 if memory is short.",
        BrokenProcessPool,
    )
    # spawn, not fork: a forked copy of a process with threads (tokenizers, torch, datasets) can
    # hang.
    processes = ProcessPoolExecutor(
        min(workers, len(todo)), get_context("spawn"), initializer=follow_parent
    )
    with worker_died, processes:
        yield from processes.map(partial(run_shard, function), *zip(*todo))
