"""One shard's work, and many shards in a pool of processes on this machine."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from multiprocessing import active_children, get_context
from multiprocessing.queues import SimpleQueue
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
    function: Callable[[Any], Any],
    todo: list[tuple[Any, Path]],
    workers: int,
    on_gpus: bool,
    description: str,
) -> Iterator[None]:
    """Do the shards in a pool of processes, with `on_gpus` one a GPU; yield after each.

    A shard that fails, like Ctrl-C, ends the pool at once. Raises UserError when a process dies.
    """
    worker_died = as_user_error(
        f"{description}: a worker process died, killed or out of memory",
        "Finished shards are kept: run the same command again, with WORKERS=1 if memory is short.",
        BrokenProcessPool,
    )
    # spawn, not fork: a forked copy of a process with threads (tokenizers, torch, datasets) can
    # hang.
    spawn = get_context("spawn")
    gpus = spawn.SimpleQueue()
    for gpu in list_gpus(workers) if on_gpus else []:
        gpus.put(gpu)
    others = active_children()
    processes = ProcessPoolExecutor(
        min(workers, len(todo)), spawn, begin_worker, (gpus if on_gpus else None,)
    )
    with worker_died, processes:
        futures = [processes.submit(run_shard, function, *each) for each in todo]
        try:
            for future in as_completed(futures):
                future.result()
                yield
        except BaseException:
            for worker in set(active_children()).difference(others):
                worker.terminate()
            raise


def begin_worker(gpus: "SimpleQueue[str] | None") -> None:
    """Prepare a worker process, which takes one of the GPUs and sees no other."""
    from tqdm import tqdm

    follow_parent()
    # Not tqdm's own, which is among processes: one that is ended leaves it behind, with a warning.
    tqdm.set_lock(threading.RLock())
    if gpus is not None:
        # Before torch is imported, which looks at it once.
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus.get()


def list_gpus(number: int) -> list[str]:
    """The names, for CUDA_VISIBLE_DEVICES, of the first GPUs that this process sees."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",")[:number] if visible else [str(gpu) for gpu in range(number)]
