"""One function over many shards, in this process, a pool, jobs of a Slurm array or tasks on Ray, with the same results.
A finished shard's result lies on disk: a rerun goes on from there. At import only the standard library is needed."""
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from corpora.errors import UserError, as_user_error
from corpora.processes import follow_parent
from pipeline.artifacts.files import write_json
from pipeline.artifacts.locks import locked
from pipeline.artifacts.manifest import peak_memory_mb


class Context(NamedTuple):
    """How a stage runs, as opposed to what it makes: nothing here is part of a key, and who works changes no byte."""
    device: str = "cpu"  # torch's type of device, already resolved: cpu, cuda or mps
    data: Path | None = None  # root of a recipe's relative paths
    workers: int = 1  # processes on this machine, for the shards of map steps
    ray: bool = False  # tasks on the Ray cluster that RAY_ADDRESS names, or on a local one
    shard: tuple[int, int] | None = None  # (i, n): the i-th of n jobs, from 1, which runs every n-th shard and no more
    merge: bool = False  # go on after the jobs of an array: their shards have to be there


def map_shards(function: Callable, items: dict, folder: Path, context: Context, description: str) -> tuple[list, dict]:
    """Apply `function`, a top-level one or a partial of one, to every item: its results, as JSON, in the items' order;
    and the cost. Each lies in folder/NAME.json; those that are there aren't made again. Raises what `function` raises,
    at once; UserError when a worker process dies or a merge lacks shards. A job of an array ends here: SystemExit."""
    from tqdm import tqdm
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.json" for name in items}
    if context.merge and (missing := [name for name, path in paths.items() if not path.exists()]):
        raise UserError(f"{description}: {len(missing)} of {len(items)} shards are missing, such as {missing[0]}. Run "
                        "the jobs with SHARD=i/n again, all of them, and then the merge.")
    number, jobs = context.shard or (1, 1)
    mine = [(items[name], paths[name]) for name in list(items)[number - 1::jobs] if not paths[name].exists()]
    start = time.monotonic()
    list(tqdm(_run(function, mine, context, description), description, len(mine), unit="shard", disable=None))
    if context.shard:
        print(f"{description}: job {number} of {jobs} is done, {len(mine)} shards now. When all jobs are, run the same "
              "command with MERGE=1 in place of SHARD=.")
        raise SystemExit
    entries = [json.loads(path.read_text(encoding="utf-8")) for path in paths.values()]
    cost = {"shards": len(entries), "seconds": time.monotonic() - start,
            "core_seconds": sum(entry["seconds"] for entry in entries),
            "peak_memory_mb": max((entry["peak_memory_mb"] for entry in entries), default=0)}
    return [entry["result"] for entry in entries], cost


def run_item(function: Callable, item: object, path: Path) -> None:
    """One shard's work; the result's file is written last and says that the shard is finished."""
    with locked(path.with_suffix(".lock")):  # against another job, or a task that Ray runs again too early
        if not path.exists():
            start = time.process_time()
            entry = {"result": function(item)}
            write_json(path, entry | {"seconds": time.process_time() - start, "peak_memory_mb": peak_memory_mb()})


def _run(function: Callable, work: list[tuple[object, Path]], context: Context, description: str) -> Iterator[None]:
    if context.ray and work:
        yield from _run_on_ray(function, work, context, description)
    elif context.workers <= 1 or len(work) <= 1:
        for item, path in work:
            yield run_item(function, item, path)
    else:
        died = as_user_error(f"{description}: a worker process died, killed or out of memory", "Finished shards are kept: "
                       "run the same command again, with WORKERS=1 if memory is short.", BrokenProcessPool)
        # spawn, not fork: a forked copy of a process that holds threads (tokenizers, torch, datasets) can hang.
        with died, ProcessPoolExecutor(min(context.workers, len(work)), get_context("spawn"), follow_parent) as pool:
            yield from pool.map(partial(run_item, function), *zip(*work))  # a failure cancels those not begun


def _run_on_ray(function: Callable, work: list[tuple], context: Context, description: str) -> Iterator[None]:
    with as_user_error("ENGINE=ray needs the package ray", "Run make install EXTRAS=ray.", ImportError):
        import ray
    # Workers import this project from its folder, which, like artifacts/ and DATA=, every node has to see.
    environment = {"env_vars": {"PYTHONPATH": str(Path(__file__).parent.parent)}}
    cluster = {} if os.environ.get("RAY_ADDRESS") else {"address": "local", "num_cpus": context.workers}
    with ray.init(**cluster, runtime_env=environment, ignore_reinit_error=True, log_to_driver=False):
        task = ray.remote(num_cpus=1, max_retries=3)(run_item)  # a task whose worker is killed is run again
        shared = ray.put(function)
        waiting = [task.remote(shared, item, path.absolute()) for item, path in work]
        try:
            while waiting:
                done, waiting = ray.wait(waiting)
                yield ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, UserError) else error) from None
        except ray.exceptions.RayError as error:
            raise UserError(f"{description}: Ray lost a task for good ({type(error).__name__}). Finished shards are "
                            "kept: run the same command again.") from None
