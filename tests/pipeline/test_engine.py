"""The same results from one process, a pool, jobs of an array and Ray; no hang when a worker dies, nothing done twice."""
import json
import os
import signal

import pytest

from corpora.errors import UserError
from pipeline.executors import Context, map_shards


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


def named(*values):
    return {f"s{number}": value for number, value in enumerate(values)}


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items_with_what_they_cost(tmp_path, workers):
    results, cost = map_shards(square, named(3, 1, 2), tmp_path, Context(workers=workers), "squares")
    assert results == [9, 1, 4]
    assert cost["shards"] == 3 and cost["peak_memory_mb"] > 0 and cost["core_seconds"] >= 0


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_shard_comes_through_with_its_message(tmp_path, workers):
    with pytest.raises(UserError, match="line 3"):
        map_shards(refuse, named(1, 2, 3), tmp_path, Context(workers=workers), "refuse")


def test_a_killed_worker_is_an_error_not_a_hang_and_finished_shards_stay(tmp_path):
    with pytest.raises(UserError, match="a worker process died"):
        map_shards(die_at_two, named(0, 1, 2, 3), tmp_path, Context(workers=2), "die")
    assert not (tmp_path / "s2.json").exists()
    for path in tmp_path.glob("*.json"):  # another worker, ended with the pool, may leave a .tmp, never half a result
        assert json.loads(path.read_text(encoding="utf-8"))["result"] in (0, 1, 3)
    assert map_shards(square, named(0, 1, 2, 3), tmp_path, Context(workers=2), "again")[0][2] == 4


def test_a_rerun_does_only_what_is_missing(tmp_path):
    items = named(*[(tmp_path, number) for number in range(3)])
    map_shards(leave_a_mark, items, tmp_path / "done", Context(), "marks")
    (tmp_path / "done" / "s1.json").unlink()
    assert map_shards(leave_a_mark, items, tmp_path / "done", Context(), "marks")[0] == [0, 1, 2]
    assert [(tmp_path / f"mark{number}").read_text() for number in range(3)] == ["x", "xx", "x"]


def test_jobs_of_an_array_share_the_shards_and_the_merge_needs_them_all(tmp_path, capsys):
    items = named(*[(tmp_path, number) for number in range(5)])

    def run(**engine):
        return map_shards(leave_a_mark, items, tmp_path / "done", Context(**engine), "marks")

    for job, num_shards in ((2, 2), (1, 2), (2, 0)):  # in any order, and one of them again
        with pytest.raises(SystemExit) as ended:
            run(shard=(job, 3))
        assert not ended.value.code
        assert f"job {job} of 3 is done, {num_shards} shards now" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"1 of 5 shards are missing, such as s2\."):
        run(merge=True)
    with pytest.raises(SystemExit):
        run(shard=(3, 3))
    assert run(merge=True)[0] == [0, 1, 2, 3, 4]
    assert {path.read_text() for path in tmp_path.glob("mark*")} == {"x"}


def die_once(item):
    folder, number = item
    if number == 2 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return leave_a_mark(item)


@pytest.mark.extras
def test_a_task_whose_worker_is_killed_on_ray_runs_again_and_errors_come_through(tmp_path, ray_cluster):
    items = named(*[(tmp_path, number) for number in range(4)])
    assert map_shards(die_once, items, tmp_path / "done", Context(ray=True), "marks")[0] == [0, 1, 2, 3]
    assert (tmp_path / "died").exists()
    assert {path.read_text() for path in tmp_path.glob("mark*")} == {"x"}
    with pytest.raises(UserError, match="line 3"):
        map_shards(refuse, named(1, 2), tmp_path / "refused", Context(ray=True), "refuse")
    with pytest.raises(UserError, match="Ray lost a task for good"):
        map_shards(die_at_two, named(2), tmp_path / "dead", Context(ray=True), "die")
