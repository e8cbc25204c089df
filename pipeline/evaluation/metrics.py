"""KLUE's metrics, times 100, as KLUE-baseline computes them. Intervals are in bootstrap.py."""

from typing import Any

import numpy as np
from scipy.stats import pearsonr
from sklearn.metrics import auc, f1_score, precision_recall_curve

from corpora.tasks.task import Task

STS_THRESHOLD = 3.0  # from this degree on, two sentences count as alike for the F1 of STS


def decide(output: np.ndarray) -> np.ndarray:
    """Return predictions (N,): the output itself, or of scores (N, C) the place of the largest."""
    return output.argmax(1) if output.ndim == 2 else output


def score(task: Task, gold_N: np.ndarray, output: np.ndarray) -> dict[str, float | None]:
    """Compute every metric of the task, times 100, of predictions (N,) or scores (N, C).

    None where a metric isn't defined: Pearson of constant predictions, and AUPRC without scores,
    which rank the rows for each class.
    """
    predicted_N = decide(output)
    scores: dict[str, float | None] = {}
    if task.regression:
        scores["pearson"] = None
        if score_is_defined(task, gold_N, predicted_N):
            correlation: Any = pearsonr(gold_N, predicted_N)  # scipy names its parts at run time
            scores["pearson"] = 100 * float(correlation.statistic)
        f1: Any = f1_score  # guesses the types of its arguments from their defaults
        is_alike = (gold_N >= STS_THRESHOLD, predicted_N >= STS_THRESHOLD)
        scores["f1"] = 100 * f1(*is_alike, zero_division=0)
        return scores
    scores[task.primary] = 100 * primary_metric(task, gold_N, predicted_N)
    if task.entities:
        scores["auprc"] = auprc(gold_N, output) if output.ndim == 2 else None
    return scores


def score_is_defined(task: Task, gold_N: np.ndarray, predicted_N: np.ndarray) -> bool:
    """Whether the primary metric has a value: a correlation with a constant has none."""
    return not task.regression or bool(np.ptp(gold_N) != 0 and np.ptp(predicted_N) != 0)


def auprc(gold_N: np.ndarray, scores_NC: np.ndarray) -> float:
    """Compute the area under the precision-recall curve, times 100, averaged over the classes that
    occur in `gold_N`."""
    areas: list[float] = []
    for label in np.unique(gold_N):
        precision, recall, _ = precision_recall_curve(gold_N == label, scores_NC[:, label])
        areas.append(auc(recall, precision))
    return 100 * float(np.mean(areas))


def primary_metric(task: Task, gold_N: np.ndarray, predicted_N: np.ndarray) -> float:
    """Compute the primary metric, not times 100, of predictions (N,).

    The values are scikit-learn's, which would take seconds for the thousand resamples of a
    bootstrap. NaN for a correlation with a constant.
    """
    if task.regression:
        with np.errstate(invalid="ignore"):
            return float(np.corrcoef(gold_N, predicted_N)[0, 1])
    count_CC = _count_pairs(gold_N, predicted_N, len(task.labels))
    twice_right_C = 2 * np.diag(count_CC)
    gold_and_predicted_C = count_CC.sum(0) + count_CC.sum(1)
    if task.primary == "macro_f1":
        # As in scikit-learn, classes in neither gold nor prediction don't count.
        occurs_C = gold_and_predicted_C > 0
        return float(np.mean(twice_right_C[occurs_C] / gold_and_predicted_C[occurs_C]))
    # Micro-F1, which over all classes is the accuracy. RE's first class, no_relation, counts only
    # as an error of the others.
    first = 1 if task.entities else 0
    total = gold_and_predicted_C[first:].sum()
    return float(twice_right_C[first:].sum() / total) if total else 0.0


def confusion(task: Task, gold_N: np.ndarray, runs: list[np.ndarray]) -> list[list[int]]:
    """Count the rows of each gold label (down) and predicted label (across), over all runs.

    For regression the labels are the nearest degrees from 0 to 5.
    """
    size = len(task.labels) or 6
    gold_label_N = np.rint(gold_N).astype(int)
    count_CC = np.zeros((size, size), dtype=int)
    for run in runs:
        label_N = np.rint(decide(run)).astype(int).clip(0, size - 1)
        count_CC += _count_pairs(gold_label_N, label_N, size)
    return count_CC.tolist()


def _count_pairs(gold_N: np.ndarray, predicted_N: np.ndarray, size: int) -> np.ndarray:
    """The rows of each gold label (down) and predicted label (across), of `size` labels each."""
    return np.bincount(gold_N * size + predicted_N, minlength=size * size).reshape(size, size)
