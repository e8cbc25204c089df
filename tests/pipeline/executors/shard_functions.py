"""What the tests do with a shard. Top-level functions: other processes import them by name."""

import os
import signal
from typing import Any

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
