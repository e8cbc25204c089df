"""Jobs of an array: which shards each of them does, and the merge that needs them all."""

import pytest

from corpora.errors import UserError
from pipeline.executors import Context, map_shards
from pipeline.executors.slurm_array import choose_shards
from tests.pipeline.executors.shard_functions import leave_a_mark, name_items


@pytest.mark.parametrize("num_jobs", [1, 3, 16])
def test_every_shard_is_one_jobs(num_jobs):
    names = [f"s{number}" for number in range(10)]
    shared = [choose_shards(names, number, num_jobs) for number in range(1, num_jobs + 1)]
    assert sorted(name for part in shared for name in part) == names
    assert shared[0][:1] == ["s0"]


def test_jobs_of_an_array_share_the_shards_and_the_merge_needs_them_all(tmp_path, capsys):
    items = name_items(*[(tmp_path, number) for number in range(5)])

    def run(**engine):
        return map_shards(leave_a_mark, items, tmp_path / "done", Context(**engine), "marks")

    # In any order, and one of them again.
    for job, num_shards in ((2, 2), (1, 2), (2, 0)):
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
