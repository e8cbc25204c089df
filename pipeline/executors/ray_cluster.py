"""Shards as tasks on a Ray cluster: the one that RAY_ADDRESS names, or one on this machine."""

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from corpora.errors import UserError, as_user_error
from pipeline.executors.pool import run_shard

PROJECT = Path(__file__).parent.parent.parent


def run_on_ray(
    function: Callable[[Any], Any], todo: list[tuple[Any, Path]], workers: int, description: str
) -> Iterator[None]:
    """Do the shards as Ray tasks, on `workers` cores if the cluster is local; yield after each.

    Raises UserError without the package ray, and when Ray gives a task up.
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
        cluster = {"address": "local", "num_cpus": workers}
    with ray.init(
        **cluster, runtime_env=environment, ignore_reinit_error=True, log_to_driver=False
    ):
        # A task whose worker is killed is run again, up to three times.
        task = ray.remote(num_cpus=1, max_retries=3)(run_shard)
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
