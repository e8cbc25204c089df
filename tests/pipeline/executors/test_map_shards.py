"""The same results from one process and a pool; no hang when a worker dies, nothing done twice."""

import json
import subprocess
import sys

import pytest

from corpora.errors import UserError
from pipeline.executors import Context, map_shards
from tests.conftest import make_environment
from tests.pipeline.executors.shard_functions import (
    die_at_two,
    leave_a_mark,
    name_gpus,
    name_items,
    refuse,
    square,
)

ONLY_THE_STANDARD_LIBRARY = """
import sys
import pipeline.executors
print(sorted({"numpy", "pyarrow", "pydantic", "ray", "torch", "tqdm"} & set(sys.modules)))
"""

TWO_WORKERS = """
import sys
from pathlib import Path
from corpora.errors import UserError
from pipeline.executors import Context, map_shards
from tests.pipeline.executors.shard_functions import name_items, refuse_beside_a_long_shard
folder = Path(sys.argv[1])
items = name_items((folder, 0), (folder, 1))
try:
    map_shards(refuse_beside_a_long_shard, items, folder / "done", Context(workers=2), "refuse")
except UserError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items_with_what_they_cost(tmp_path, workers):
    context = Context(workers=workers)
    results, cost = map_shards(square, name_items(3, 1, 2), tmp_path, context, "squares")
    assert results == [9, 1, 4]
    assert cost["shards"] == 3
    assert cost["peak_memory_mb"] > 0


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_shard_comes_through_with_its_message(tmp_path, workers):
    with pytest.raises(UserError, match="line 3"):
        map_shards(refuse, name_items(1, 2, 3), tmp_path, Context(workers=workers), "refuse")


def test_a_killed_worker_is_an_error_not_a_hang_and_finished_shards_stay(tmp_path):
    items = name_items(0, 1, 2, 3)
    with pytest.raises(UserError, match="a worker process died"):
        map_shards(die_at_two, items, tmp_path, Context(workers=2), "die")
    assert not (tmp_path / "s2.json").exists()
    # Another worker, ended with the pool, may leave a .tmp, never half a result.
    for path in tmp_path.glob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["result"] in (0, 1, 3)
    results, _ = map_shards(square, items, tmp_path, Context(workers=2), "again")
    assert results[2] == 4


def test_a_shard_that_fails_ends_those_that_others_are_at(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", TWO_WORKERS, tmp_path],
        env=make_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "shard 1: line 3: no\n"
    assert done.returncode == 1
    assert not (tmp_path / "woke").exists()


@pytest.mark.parametrize(
    "visible, expected", [(None, ["0", "1"]), ("3,GPU-8932f937,5", ["3", "GPU-8932f937"])]
)
def test_every_worker_sees_a_gpu_of_its_own(tmp_path, monkeypatch, visible, expected):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    items = name_items((tmp_path, 0), (tmp_path, 1))
    on_gpus = Context(device="cuda", workers=2)
    found, _ = map_shards(name_gpus, items, tmp_path / "done", on_gpus, "gpus")
    assert sorted(found) == expected


def test_a_rerun_does_only_what_is_missing(tmp_path):
    items = name_items(*[(tmp_path, number) for number in range(3)])
    map_shards(leave_a_mark, items, tmp_path / "done", Context(), "marks")
    (tmp_path / "done" / "s1.json").unlink()
    results, _ = map_shards(leave_a_mark, items, tmp_path / "done", Context(), "marks")
    assert results == [0, 1, 2]
    assert [(tmp_path / f"mark{number}").read_text() for number in range(3)] == ["x", "xx", "x"]


def test_importing_the_executors_needs_the_standard_library_only():
    done = subprocess.run(
        [sys.executable, "-c", ONLY_THE_STANDARD_LIBRARY],
        env=make_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
