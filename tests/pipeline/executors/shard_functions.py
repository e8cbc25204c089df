"""What the tests do with a shard. Top-level functions: other processes import them by name."""

import os
import signal
import time
from typing import Any

from tqdm import tqdm

from corpora.errors import UserError


def name_items(*values: Any) -> dict[str, Any]:
    """The values as items s0, s1, ..."""
    return {f"s{number}": value for number, value in enumerate(values)}


def square(number):
    return number * number


def die_at_two(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse(number):
    raise UserError(f"shard {number}: line 3: no")


def leave_a_mark(item):
    folder, number = item
    with open(folder / f"mark{number}", "a") as file:
        file.write("x")
    return number


def die_once(item):
    folder, number = item
    if number == 2 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return leave_a_mark(item)


def meet(folder, number, num_workers):
    """Wait until so many workers are at work at once."""
    (folder / f"here{number}").touch()
    for _ in range(6000):
        if len(list(folder.glob("here*"))) == num_workers:
            return
        time.sleep(0.01)
    raise TimeoutError(f"{num_workers} workers never were at work at once")


def name_gpus(item):
    meet(*item, num_workers=2)
    return os.environ["CUDA_VISIBLE_DEVICES"]


def refuse_beside_a_long_shard(item):
    folder, number = item
    meet(folder, number, num_workers=2)
    for _ in tqdm([number], disable=True):
        if number == 1:
            refuse(number)
        time.sleep(60)
    (folder / "woke").touch()
