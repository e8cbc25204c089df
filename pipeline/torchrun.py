"""Several processes, as torchrun starts them: the first one decides what there is to do, the others
wait for its word, and of the same message from all of them one is shown.

`python -m pipeline.torchrun` is torchrun with its own options, but without the page that it prints
when a process failed. Importing this needs only the standard library.
"""

import functools
import json
import os
import signal
import sys
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store  # where torch 2.13 has its type

# torchrun may keep the table over restarts (PET_MAX_RESTARTS), whose words are others.
ATTEMPT = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
WORD = f"attempt {ATTEMPT}: the first process's word"
SPEAKERS = f"attempt {ATTEMPT}: processes with a last message"
POLL_SECONDS = 0.1
CONNECT = timedelta(minutes=5)  # torchrun starts its processes at once


def num_processes() -> int:
    """How many processes work together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_helper() -> bool:
    """Whether this is one of several processes, and not the first."""
    return num_processes() > 1 and os.environ["RANK"] != "0"


@functools.cache
def find_store() -> "Store | None":
    """Return the table that torchrun keeps for its processes; None for a process alone."""
    if num_processes() == 1:
        return None
    from torch.distributed.rendezvous import rendezvous

    store, _, _ = next(rendezvous("env://", timeout=CONNECT))
    return store


def meet() -> None:
    """Let all processes find each other; all but the first come back once there is work."""
    find_store()
    if is_helper():
        wait_for_work()


def tell(word: dict[str, Any] | int) -> None:
    """Tell the other processes what to work on, or the status that they end with."""
    if store := find_store():
        store.set(WORD, json.dumps(word))


@functools.cache
def wait_for_work() -> dict[str, Any]:
    """Return what the first process tells the others to work on, however late.

    It may wait for another run's lock for hours. A collective has a timeout of minutes, and neither
    it nor the store's own wait ends on a signal, so the store is asked again and again.

    Raises SystemExit where there is nothing to work on, or where the first process has ended.
    """
    from torch.distributed import DistNetworkError

    store = find_store()
    assert store, "a process alone has nobody to wait for"
    try:
        while not store.check([WORD]):
            time.sleep(POLL_SECONDS)
        word = json.loads(store.get(WORD))
    except DistNetworkError:  # whoever kept the store has ended, and said why
        raise SystemExit(1) from None
    if isinstance(word, int):
        raise SystemExit(word)
    return word


def speaks_first() -> bool:
    """Whether none of the processes has had a last message before; asked once, before giving it."""
    if store := find_store():
        with suppress(RuntimeError):  # the store may have ended
            return store.add(SPEAKERS, 1) == 1
    return True


def end_process() -> None:
    """Exit at once.

    Taking process groups down, torch 2.13 with gloo and FSDP2 aborts now and then ("terminate
    called without an active exception"), which torchrun takes for a failure of the run.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def main() -> None:
    """Be torchrun; a process that failed has said why, unless a signal ended it."""
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as run_processes

    try:
        run_processes()
    except SignalException as stopped:
        sys.exit(128 + stopped.sigval)
    except ChildFailedError as failed:
        rank, failure = failed.get_first_failure()
        if failure.exitcode > 0:
            sys.exit(failure.exitcode)
        sys.exit(
            f"error: process {rank} was ended by {signal.Signals(-failure.exitcode).name}. The "
            "same command goes on from the last checkpoint."
        )


if __name__ == "__main__":
    main()
