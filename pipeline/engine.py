"""One function over many shards: in this process or in a process pool, with the same results in the same order.

What a shard is, and what to do with the results, is the stage's business.
"""
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from tqdm import tqdm

from corpora import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")


def open_pool(workers: int) -> ProcessPoolExecutor:
    """A pool whose processes end with this one, even when it's killed: nobody then writes without the key's lock."""
    # spawn, not fork: a forked copy of a process that holds threads (tokenizers, torch, datasets) can hang.
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=follow, initargs=(os.getpid(),))


def follow(parent: int) -> None:
    """In a worker: leave Ctrl-C to the parent, and end when the parent does."""
    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()


def map_shards(function: Callable[[Item], Result], items: list[Item], workers: int, description: str) -> list[Result]:
    """Apply `function` to every item and return the results in the items' order.

    `function` must be importable by name (a top-level function, or a functools.partial of one) when `workers` > 1.
    Raises what `function` raises, at the first failure, and UserError when a worker process dies.
    """
    with tqdm(total=len(items), desc=description, unit="shard", disable=None) as bar:
        if workers <= 1 or len(items) <= 1:
            results = []
            for item in items:
                results.append(function(item))
                bar.update()
            return results
        with open_pool(min(workers, len(items))) as pool:
            futures = [pool.submit(function, item) for item in items]
            try:
                for future in as_completed(futures):
                    future.result()
                    bar.update()
            except BrokenProcessPool as error:
                raise UserError(
                    f"{description}: a worker process died (killed, or out of memory). Finished shards are kept: "
                    "run the same command again, with WORKERS=1 if memory is short."
                ) from error
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
            return [future.result() for future in futures]
