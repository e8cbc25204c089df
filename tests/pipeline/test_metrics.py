"""KLUE's metrics by hand, and intervals that behave as intervals do."""
import numpy as np
import pytest
from sklearn.metrics import f1_score

from corpora.tasks.task import TASKS
from pipeline.evaluation.metrics import RESAMPLES, _quick_primary, confusion, interval, score


def random_answers(num_labels: int, num_rows: int = 300, seed: int = 0):
    generator = np.random.default_rng(seed)
    gold_N = generator.integers(0, num_labels, num_rows)
    return gold_N, np.where(generator.random(num_rows) < 0.6, gold_N, generator.integers(0, num_labels, num_rows))


def test_ynat_averages_f1_over_classes():
    gold_N, predicted_N = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    assert score(TASKS["ynat"], gold_N, predicted_N)["macro_f1"] == pytest.approx(100 * (4 / 5 + 2 / 3) / 2)


def test_nli_counts_right_answers():
    assert score(TASKS["nli"], np.array([0, 1, 2, 2]), np.array([0, 1, 2, 0])) == {"accuracy": 75.0}


def test_sts_correlates_and_cuts_both_sides_at_three():
    scores = score(TASKS["sts"], np.array([0.0, 2.9, 3.0, 5.0]), np.array([0.0, 2.9, 3.0, 5.0]))
    assert scores == {"pearson": pytest.approx(100), "f1": 100}
    scores = score(TASKS["sts"], np.array([1.0, 2.0, 3.0, 5.0]), np.array([1.0, 3.1, 2.9, 5.0]))
    assert scores["f1"] == 50


def test_a_constant_prediction_has_no_correlation():
    gold_N, constant_N = np.array([0.0, 2.0, 5.0]), np.full(3, 2.3)
    assert score(TASKS["sts"], gold_N, constant_N) == {"pearson": None, "f1": 0}
    assert interval(TASKS["sts"], gold_N, [constant_N]) is None


def test_re_gives_no_credit_for_no_relation():
    gold_N = np.array([0, 0, 0, 4, 5])
    assert score(TASKS["re"], gold_N, np.array([0, 0, 0, 4, 6]))["micro_f1"] == 50
    assert score(TASKS["re"], gold_N, np.zeros(5, dtype=int))["micro_f1"] == 0


def test_auprc_is_of_the_classes_that_occur():
    gold_N = np.array([0, 1, 1, 2])
    scores_NC = np.zeros((4, 30))
    scores_NC[np.arange(4), gold_N] = 1
    assert score(TASKS["re"], gold_N, scores_NC)["auprc"] == 100
    assert score(TASKS["re"], gold_N, gold_N)["auprc"] is None


@pytest.mark.parametrize("name, options", [
    ("ynat", {"average": "macro"}), ("re", {"average": "micro", "labels": list(range(1, 30))})])
def test_f1_from_counts_is_scikit_learns(name, options):
    gold_N, predicted_N = random_answers(len(TASKS[name].labels))
    rows = np.random.default_rng(1).integers(0, 300, 300)
    counted = 100 * _quick_primary(TASKS[name], gold_N[rows], predicted_N[rows])
    assert counted == pytest.approx(100 * f1_score(gold_N[rows], predicted_N[rows], **options))


@pytest.mark.parametrize("name", ["ynat", "nli", "re"])
def test_an_interval_holds_its_score_is_repeatable_and_narrows_with_more_rows(name):
    task = TASKS[name]
    widths = []
    for num_rows in (200, 3200):
        gold_N, predicted_N = random_answers(len(task.labels), num_rows)
        low, high = interval(task, gold_N, [predicted_N])
        assert low < score(task, gold_N, predicted_N)[task.primary] < high
        assert interval(task, gold_N, [predicted_N]) == [low, high]
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_the_interval_of_an_accuracy_is_the_binomial_one():
    gold_N = np.zeros(1000, dtype=int)
    predicted_N = (np.arange(1000) < 300).astype(int)
    low, high = interval(TASKS["nli"], gold_N, [predicted_N])
    expected = 1.96 * 100 * (0.7 * 0.3 / 1000) ** 0.5
    assert (high - low) / 2 == pytest.approx(expected, rel=0.1)
    assert RESAMPLES == 1000


def test_the_interval_over_seeds_is_of_their_mean():
    gold_N = np.linspace(0, 5, 100)
    noisy = [gold_N + np.random.default_rng(seed).normal(0, 2, 100) for seed in range(3)]
    mean = np.mean([score(TASKS["sts"], gold_N, run)["pearson"] for run in noisy])
    low, high = interval(TASKS["sts"], gold_N, noisy)
    assert low < mean < high


def test_a_paired_interval_tells_a_better_run_from_its_equal():
    task, (gold_N, good_N) = TASKS["ynat"], random_answers(7)
    _, bad_N = random_answers(7, seed=1)
    low, high = interval(task, gold_N, [good_N], [bad_N])
    apart = score(task, gold_N, good_N)["macro_f1"] - score(task, gold_N, bad_N)["macro_f1"]
    assert 0 < low < apart < high
    assert interval(task, gold_N, [good_N], [good_N]) == [0, 0]
    nearly_N = np.where(np.arange(len(gold_N)) < 3, bad_N, good_N)
    low, high = interval(task, gold_N, [good_N], [nearly_N])
    alone = interval(task, gold_N, [good_N])
    assert high - low < (alone[1] - alone[0]) / 3  # paired: what both share cancels out
    assert interval(TASKS["sts"], np.array([0.0, 2.0]), [np.array([1.0, 2.0])], [np.zeros(2)]) is None


def test_confusion_counts_gold_down_and_predictions_across():
    counts = np.array(confusion(TASKS["nli"], np.array([0, 0, 2]), [np.array([0, 1, 2]), np.array([1, 1, 2])]))
    assert counts.tolist() == [[1, 3, 0], [0, 0, 0], [0, 0, 2]]
    degrees = np.array(confusion(TASKS["sts"], np.array([4.6, 0.0]), [np.array([5.3, -0.2])]))
    assert degrees[5, 5] == degrees[0, 0] == 1 and degrees.sum() == 2
