"""Intervals behave as intervals do."""

import numpy as np
import pytest

from corpora.tasks.task import TASKS
from pipeline.evaluation.bootstrap import NUM_RESAMPLES, interval, paired_interval, resample
from pipeline.evaluation.metrics import score
from tests.pipeline.evaluation.random_answers import random_answers


def paired(task, gold_N, runs, others):
    return paired_interval(resample(task, gold_N, runs), resample(task, gold_N, others))


@pytest.mark.parametrize("name", ["ynat", "nli", "re"])
def test_an_interval_holds_its_score_is_repeatable_and_narrows_with_more_rows(name):
    task = TASKS[name]
    widths = []
    for num_rows in (200, 3200):
        gold_N, predicted_N = random_answers(len(task.labels), num_rows)
        low, high = interval(resample(task, gold_N, [predicted_N]))
        assert low < score(task, gold_N, predicted_N)[task.primary] < high
        assert interval(resample(task, gold_N, [predicted_N])) == [low, high]
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_the_interval_of_an_accuracy_is_the_binomial_one():
    gold_N = np.zeros(1000, dtype=int)
    predicted_N = (np.arange(1000) < 300).astype(int)
    low, high = interval(resample(TASKS["nli"], gold_N, [predicted_N]))
    expected = 1.96 * 100 * (0.7 * 0.3 / 1000) ** 0.5
    assert (high - low) / 2 == pytest.approx(expected, rel=0.1)
    assert NUM_RESAMPLES == 1000


def test_the_interval_over_seeds_is_of_their_mean():
    gold_N = np.linspace(0, 5, 100)
    runs = [gold_N + np.random.default_rng(seed).normal(0, 2, 100) for seed in range(3)]
    mean = np.mean([score(TASKS["sts"], gold_N, run)["pearson"] for run in runs])
    low, high = interval(resample(TASKS["sts"], gold_N, runs))
    assert low < mean < high


def test_what_isnt_defined_has_no_interval():
    task = TASKS["sts"]
    gold_N = np.array([0.0, 2.0])
    constant_N = np.zeros(2)
    assert interval(resample(task, gold_N, [constant_N])) is None
    assert paired(task, gold_N, [np.array([1.0, 2.0])], [constant_N]) is None
    assert paired(task, gold_N, [constant_N], [np.array([1.0, 2.0])]) is None


def test_a_paired_interval_tells_a_better_run_from_its_equal():
    task = TASKS["ynat"]
    gold_N, good_N = random_answers(7)
    _, bad_N = random_answers(7, seed=1)
    low, high = paired(task, gold_N, [good_N], [bad_N])
    good = score(task, gold_N, good_N)["macro_f1"]
    assert 0 < low < good - score(task, gold_N, bad_N)["macro_f1"] < high
    assert paired(task, gold_N, [good_N], [good_N]) == [0, 0]


def test_what_both_sides_share_cancels_out():
    task = TASKS["ynat"]
    gold_N, good_N = random_answers(7)
    _, bad_N = random_answers(7, seed=1)
    nearly_N = np.where(np.arange(len(gold_N)) < 3, bad_N, good_N)
    low, high = paired(task, gold_N, [good_N], [nearly_N])
    low_alone, high_alone = interval(resample(task, gold_N, [good_N]))
    assert high - low < (high_alone - low_alone) / 3
