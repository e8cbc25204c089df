"""Which rows are trained on, and which are scored."""

import shutil

import numpy as np
import pytest

from corpora.tasks.rows import SAMPLE, load_rows
from corpora.tasks.task import TASKS
from pipeline.stages.klue.rows import draw_rows, read_rows


def test_held_out_rows_are_train_rows_that_are_not_trained_on(settings, tmp_path):
    task = TASKS["nli"]
    data = tmp_path / "klue"
    shutil.copytree(SAMPLE / "nli", data / "nli")
    (data / "nli" / "validation.jsonl").write_text("not read")
    changes = {"data": str(data), "held_out": True}
    rows = read_rows(task, settings.model_copy(update=changes))
    both = rows.train + rows.validation
    guids = [row["guid"] for row in load_rows("sample", task, "train")]
    assert sorted(row["guid"] for row in both) == sorted(guids)
    assert 0 < len(rows.validation) < len(both) / 3
    trained_on = {row["premise"] for row in rows.train}
    assert not trained_on & {row["premise"] for row in rows.validation}


def test_noisy_copies_follow_the_clean_rows(settings):
    task = TASKS["nli"]
    rows = read_rows(task, settings.model_copy(update={"noise": True}))
    clean = load_rows("sample", task, "validation")
    assert rows.clean == clean
    assert list(rows.parts) == ["clean", "spacing", "typos"]
    assert [row["guid"] for row in rows.validation] == [
        row["guid"] + suffix for suffix in ("", " spacing", " typos") for row in clean
    ]
    assert sum(rows.parts.values()).tolist() == [1] * len(rows.validation)
    assert rows.gold_N.tolist() == [task.target(row) for row in clean] * 3


@pytest.mark.parametrize("num_wanted", [0, 20, 21])
def test_all_rows_are_used_in_their_order(num_wanted):
    assert draw_rows(20, num_wanted, seed=1) == list(range(20))


def test_a_draw_is_the_seeds():
    first = draw_rows(20, 5, seed=1)
    assert len(set(first)) == 5
    assert first == draw_rows(20, 5, seed=1)
    assert first != draw_rows(20, 5, seed=2)
    assert max(first) < 20
    assert np.array_equal(draw_rows(20, 3, seed=1), first[:3])
