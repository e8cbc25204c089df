"""One function over many shards, with the same results whoever does the work.

The work is done in this process or a pool (pool.py), by the jobs of a Slurm array (slurm_array.py)
or by tasks on Ray (ray_cluster.py). A finished shard's result lies on disk, so a rerun goes on from
there. Importing this needs only the standard library.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from pipeline.artifacts.files import read_json
from pipeline.executors import pool, ray_cluster, slurm_array


class Context(NamedTuple):
    """How a stage runs, as opposed to what it makes.

    Nothing here is part of a key: who does the work changes no byte of the result.
    """

    device: str = "cpu"  # torch's type of device, already resolved: cpu, cuda or mps
    data: Path | None = None  # root of a recipe's relative paths
    workers: int = 1  # processes on this machine, one shard at a time each; on cuda one a GPU
    ray: bool = False  # tasks on the Ray cluster that RAY_ADDRESS names, or on a local one
    shard: tuple[int, int] | None = None  # (i, n): be the i-th of an array's n jobs, from 1
    merge: bool = False  # go on after the jobs of an array: their shards have to be there
    threads: int | None = None  # torch's in each worker; None: as many as it chooses


class Cost(TypedDict):
    """What a map over all shards took, whenever each of them was done."""

    shards: int
    seconds: float  # of this call alone
    core_seconds: float
    peak_memory_mb: int  # of the largest process


def map_shards(
    function: Callable[[Any], Any],
    items: dict[str, Any],
    folder: Path,
    context: Context,
    description: str,
) -> tuple[list[Any], Cost]:
    """Apply a function to every item; return its results, in the items' order, and the cost.

    `function` is a top-level function or a partial of one, and returns what JSON can hold. The
    result for each of `items`, {name: item}, lies in folder/NAME.json; one that is there isn't made
    again.

    Raises what `function` raises, at once; UserError when a worker process dies, or when a merge
    lacks shards. A job of an array ends here, with SystemExit.
    """
    from tqdm import tqdm

    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.json" for name in items}
    if context.merge:
        slurm_array.require_all(paths, description)
    names = list(items)
    if context.shard:
        names = slurm_array.choose_shards(names, *context.shard)
    todo = [(items[name], paths[name]) for name in names if not paths[name].exists()]
    start = time.monotonic()
    finished = do_shards(function, todo, context, description)
    for _ in tqdm(finished, description, len(todo), unit="shard", disable=None):
        pass
    if context.shard:
        slurm_array.end_job(*context.shard, len(todo), description)
    entries = [read_json(path) for path in paths.values()]
    cost = Cost(
        shards=len(entries),
        seconds=time.monotonic() - start,
        core_seconds=sum(entry["seconds"] for entry in entries),
        peak_memory_mb=max((entry["peak_memory_mb"] for entry in entries), default=0),
    )
    return [entry["result"] for entry in entries], cost


def do_shards(
    function: Callable[[Any], Any],
    todo: list[tuple[Any, Path]],
    context: Context,
    description: str,
) -> Iterator[None]:
    """Do the shards, (item, its result's file), as the context says; yield after each."""
    on_gpus = context.device == "cuda"
    if context.ray and todo:
        cores = context.threads or 1
        return ray_cluster.run_on_ray(function, todo, context.workers, cores, on_gpus, description)
    if context.workers > 1 and len(todo) > 1:
        return pool.run_in_pool(function, todo, context.workers, on_gpus, description)
    return (pool.run_shard(function, item, path) for item, path in todo)
