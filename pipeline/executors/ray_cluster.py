"""Shards as tasks on a Ray cluster: the one that RAY_ADDRESS names, or one on this machine."""

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from corpora.errors import UserError, as_user_error, require
from pipeline.executors.pool import run_shard

PROJECT = Path(__file__).parent.parent.parent


def run_on_ray(
    function: Callable[[Any], Any],
    todo: list[tuple[Any, Path]],
    workers: int,
    cores: int,
    on_gpus: bool,
    description: str,
) -> Iterator[None]:
    """Do the shards as Ray tasks, each of which asks for so many cores and, with `on_gpus`, a GPU
    of its own; yield after each. A cluster that is local has room for `workers` tasks at once.

    Raises UserError without the package ray, for a cluster that lacks what was asked for, and when
    Ray gives a task up.
    """
    with as_user_error(
        "ENGINE=ray needs the package ray", "Run make install EXTRAS=ray.", ImportError
    ):
        # By name, because types are checked alike with this extra and without it.
        ray: Any = import_module("ray")
    # Workers import this project from its folder, which, like artifacts/ and DATA=, every node has
    # to see.
    environment = {"env_vars": {"PYTHONPATH": str(PROJECT)}}
    cluster: dict[str, Any] = {}
    if not os.environ.get("RAY_ADDRESS"):
        num_gpus = workers if on_gpus else 0
        cluster = {"address": "local", "num_cpus": workers * cores, "num_gpus": num_gpus}
    with ray.init(
        **cluster, runtime_env=environment, ignore_reinit_error=True, log_to_driver=False
    ):
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        require_room(nodes, workers, cores, on_gpus, description)
        # A task whose worker is killed is run again, up to three times.
        task = ray.remote(num_cpus=cores, num_gpus=int(on_gpus), max_retries=3)(run_shard)
        shared_function = ray.put(function)
        waiting = [task.remote(shared_function, item, path.absolute()) for item, path in todo]
        try:
            while waiting:
                done, waiting = ray.wait(waiting)
                ray.get(done)
                yield
        except ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, UserError) else error) from None
        except ray.exceptions.RayError as error:
            raise UserError(
                f"{description}: Ray lost a task for good ({type(error).__name__}). Finished "
                "shards are kept: run the same command again."
            ) from None


def require_room(
    nodes: list[dict[str, float]], workers: int, cores: int, on_gpus: bool, description: str
) -> None:
    """Raise UserError for a cluster on which a task would wait for ever; `nodes` are their
    resources."""
    num_gpus = round(sum(node.get("GPU", 0) for node in nodes))
    require(
        not on_gpus or num_gpus >= workers,
        f"{description}: GPUS={workers}, but the Ray cluster has {num_gpus}.",
    )
    most_cores = round(max((node.get("CPU", 0) for node in nodes), default=0))
    require(
        most_cores >= cores,
        f"{description}: a task takes {cores} cores, and no node of the Ray cluster has more than "
        f"{most_cores}. Raise WORKERS=: each task then takes fewer.",
    )
