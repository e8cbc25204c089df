"""Scores beside each other: their differences, and what an interval says of one."""

import numpy as np
import pytest

from corpora.tasks.task import TASKS
from pipeline.claims.finding import Scored, as_difference, subtract, verdict_of

YNAT, STS = TASKS["ynat"], TASKS["sts"]
GOLD_N = np.arange(70) % 7


def test_the_better_one_is_above_and_the_other_below():
    worse_N = np.where(np.arange(70) < 35, GOLD_N, (GOLD_N + 1) % 7)
    right = Scored(YNAT, GOLD_N, [GOLD_N])
    half = Scored(YNAT, GOLD_N, [worse_N, worse_N])
    found = right.less(half, "right, less half")
    assert found.points == pytest.approx(50, abs=1)
    assert found.verdict == "yes"
    low, high = found.interval
    assert low < found.points < high
    assert half.less(right, "").verdict == "no"
    assert right.less(right, "").verdict == "not shown"
    assert right.at(3).score == 100
    assert half.at("half").runs == 2


def test_a_correlation_with_a_constant_is_no_score_and_decides_nothing():
    gold_N = np.linspace(0, 5, 30)
    same = Scored(STS, gold_N, [gold_N])
    constant = Scored(STS, gold_N, [np.ones(30)])
    assert constant.at(1).score is None
    assert constant.at(1).interval is None
    found = same.less(constant, "")
    assert (found.points, found.interval, found.verdict) == (None, None, "not shown")
    assert same.panel([], has_level=True).level is None


def test_the_commonest_labels_score_is_a_panels_level():
    gold_N = np.array([2] * 60 + [1] * 40)
    panel = Scored(TASKS["nli"], gold_N, [gold_N]).panel([], has_level=True)
    assert panel.level == pytest.approx(60)


def test_one_run_without_a_score_leaves_all_of_them_without():
    gold_N = np.linspace(0, 5, 30)
    partly = Scored(STS, gold_N, [gold_N, np.ones(30)])
    assert (partly.at(1).score, partly.at(1).interval) == (None, None)
    found = Scored(STS, gold_N, [gold_N]).less(partly, "")
    assert (found.points, found.interval, found.verdict) == (None, None, "not shown")


def test_a_gain_is_compared_with_a_gain():
    half_N, most_N = (
        np.where(np.arange(70) < right, GOLD_N, (GOLD_N + 1) % 7) for right in (35, 60)
    )
    right, most, half = (Scored(YNAT, GOLD_N, [each_N]) for each_N in (GOLD_N, most_N, half_N))
    gains = [subtract(right.figure, each.figure) for each in (half, most)]
    more = as_difference(YNAT, "", subtract(*gains))
    assert more.points == pytest.approx(most.at(0).score - half.at(0).score)
    assert more.verdict == "yes"
    assert subtract(gains[0], None) is None


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((0.1, 2), "yes"), ((-2, -0.1), "no"), ((-1, 1), "not shown"), ((0, 0), "not shown")],
)
def test_only_an_interval_without_0_says_something(bounds, expected):
    assert verdict_of(bounds) == expected
