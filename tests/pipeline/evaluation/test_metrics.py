"""KLUE's metrics by hand, and beside scikit-learn's."""

import warnings

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import (
    accuracy_score,
    auc,
    f1_score,
    matthews_corrcoef,
    precision_recall_curve,
)

from corpora.tasks.task import TASKS, Task
from pipeline.evaluation.metrics import confusion, primary_metric, score
from tests.pipeline.evaluation.random_answers import random_answers


def test_ynat_averages_f1_over_classes():
    gold_N = np.array([0, 0, 0, 1])
    predicted_N = np.array([0, 0, 1, 1])
    macro_f1 = score(TASKS["ynat"], gold_N, predicted_N)["macro_f1"]
    assert macro_f1 == pytest.approx(100 * (4 / 5 + 2 / 3) / 2)


def test_nli_counts_right_answers():
    gold_N = np.array([0, 1, 2, 2])
    assert score(TASKS["nli"], gold_N, np.array([0, 1, 2, 0])) == {"accuracy": 75.0}


def test_sts_correlates_and_cuts_both_sides_at_three():
    gold_N = np.array([0.0, 2.9, 3.0, 5.0])
    assert score(TASKS["sts"], gold_N, gold_N) == {"pearson": pytest.approx(100), "f1": 100}
    gold_N = np.array([1.0, 2.0, 3.0, 5.0])
    assert score(TASKS["sts"], gold_N, np.array([1.0, 3.1, 2.9, 5.0]))["f1"] == 50


def test_a_constant_prediction_has_no_correlation():
    gold_N = np.array([0.0, 2.0, 5.0])
    assert score(TASKS["sts"], gold_N, np.full(3, 2.3)) == {"pearson": None, "f1": 0}


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


def test_auprc_of_all_classes_is_klue_baselines():
    """As its klue_re_auprc has it: scikit-learn's curve for each of the 30 classes."""
    gold_N, _ = random_answers(12)
    scores_NC = np.random.default_rng(0).random((len(gold_N), 30))
    areas = []
    for label in range(30):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a class has no row
            precision, recall, _ = precision_recall_curve(gold_N == label, scores_NC[:, label])
        areas.append(auc(recall, precision))
    found = score(TASKS["re"], gold_N, scores_NC)["auprc_all"]
    assert found == pytest.approx(100 * np.mean(areas))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ynat", {"average": "macro"}),
        ("nli", {"average": "micro"}),
        ("re", {"average": "micro", "labels": list(range(1, 30))}),
    ],
)
def test_f1_from_counts_is_scikit_learns(name, options):
    gold_N, predicted_N = random_answers(len(TASKS[name].labels))
    rows = np.random.default_rng(1).integers(0, 300, 300)
    counted = 100 * primary_metric(TASKS[name], gold_N[rows], predicted_N[rows])
    assert counted == pytest.approx(100 * f1_score(gold_N[rows], predicted_N[rows], **options))


def own_task(metric: str) -> Task:
    labels = () if metric == "spearman" else ("a", "b", "c")
    return Task(name="own", title="own", texts=("text",), labels=labels, metrics=(metric,))


def test_matthews_and_accuracy_from_counts_are_scikit_learns():
    gold_N, predicted_N = random_answers(3)
    correlation = matthews_corrcoef(gold_N, predicted_N)
    assert primary_metric(own_task("mcc"), gold_N, predicted_N) == pytest.approx(correlation)
    accuracy = accuracy_score(gold_N, predicted_N)
    assert primary_metric(own_task("accuracy"), gold_N, predicted_N) == pytest.approx(accuracy)
    constant_N = np.zeros_like(gold_N)
    assert primary_metric(own_task("mcc"), gold_N, constant_N) == 0


def test_spearman_is_scipys():
    gold_N, predicted_N = (np.round(each / 7, 1) for each in random_answers(30))
    expected = 100 * spearmanr(gold_N, predicted_N).statistic
    assert score(own_task("spearman"), gold_N, predicted_N)["spearman"] == pytest.approx(expected)
    assert score(own_task("spearman"), gold_N, np.zeros(len(gold_N)))["spearman"] is None


def test_confusion_counts_gold_down_and_predictions_across():
    runs = [np.array([0, 1, 2]), np.array([1, 1, 2])]
    counts_CC = np.array(confusion(TASKS["nli"], np.array([0, 0, 2]), runs))
    assert counts_CC.tolist() == [[1, 3, 0], [0, 0, 0], [0, 0, 2]]


def test_confusion_of_scores_is_of_the_nearest_degrees():
    gold_N = np.array([4.6, 0.0])
    counts_CC = np.array(confusion(TASKS["sts"], gold_N, [np.array([5.3, -0.2])]))
    assert counts_CC[5, 5] == counts_CC[0, 0] == 1
    assert counts_CC.sum() == 2
