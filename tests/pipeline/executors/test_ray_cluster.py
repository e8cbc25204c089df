"""Shards as tasks on a Ray cluster whose workers are killed."""

import sys

import pytest

from corpora.errors import UserError
from pipeline.executors import Context, map_shards
from tests.pipeline.executors.shard_functions import (
    die_at_two,
    die_once,
    leave_a_mark,
    name_gpus,
    name_items,
    refuse,
)


def test_without_the_package_ray_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    items = name_items((tmp_path, 0))
    with pytest.raises(UserError, match="make install EXTRAS=ray"):
        map_shards(leave_a_mark, items, tmp_path / "done", Context(ray=True), "marks")


@pytest.mark.extras
def test_a_task_whose_worker_is_killed_runs_again_and_errors_come_through(tmp_path, ray_cluster):
    items = name_items(*[(tmp_path, number) for number in range(4)])
    on_ray = Context(ray=True)
    results, _ = map_shards(die_once, items, tmp_path / "done", on_ray, "marks")
    assert results == [0, 1, 2, 3]
    assert (tmp_path / "died").exists()
    assert {path.read_text() for path in tmp_path.glob("mark*")} == {"x"}
    with pytest.raises(UserError, match="line 3"):
        map_shards(refuse, name_items(1, 2), tmp_path / "refused", on_ray, "refuse")
    with pytest.raises(UserError, match="Ray lost a task for good"):
        map_shards(die_at_two, name_items(2), tmp_path / "dead", on_ray, "die")


@pytest.mark.extras
def test_every_task_gets_a_gpu_and_what_the_cluster_lacks_is_told(tmp_path, ray_cluster):
    items = name_items((tmp_path, 0), (tmp_path, 1))
    on_gpus = Context(device="cuda", workers=2, ray=True)
    with pytest.raises(UserError, match="GPUS=2, but the Ray cluster has 0"):
        map_shards(name_gpus, items, tmp_path / "done", on_gpus, "gpus")
    with pytest.raises(UserError, match="a task takes 3 cores, and no node"):
        map_shards(refuse, items, tmp_path / "done", Context(ray=True, threads=3), "refuse")
    ray_cluster.add_node(num_cpus=2, num_gpus=2)
    found, _ = map_shards(name_gpus, items, tmp_path / "done", on_gpus, "gpus")
    assert sorted(found) == ["0", "1"]
