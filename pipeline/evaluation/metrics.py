"""The tasks' metrics, times 100, KLUE's as KLUE-baseline computes them. Intervals are in
bootstrap.py."""

from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import auc, f1_score, precision_recall_curve

from corpora.tasks.task import Task

MAX_DEGREES = 10  # of a matrix, above the lowest


def decide(output: np.ndarray) -> np.ndarray:
    """Return predictions (N,): the output itself, or of scores (N, C) the place of the largest."""
    return output.argmax(1) if output.ndim == 2 else output


def score(task: Task, gold_N: np.ndarray, output: np.ndarray) -> dict[str, float | None]:
    """Compute every metric of the task, times 100, of predictions (N,) or scores (N, C).

    None where a metric isn't defined: a correlation with a constant, and AUPRC without scores,
    which rank the rows for each class.
    """
    predicted_N = decide(output)
    scores: dict[str, float | None] = {}
    for metric in task.metrics:
        if metric in ("auprc", "auprc_all"):
            classes = np.unique(gold_N) if metric == "auprc" else np.arange(len(task.labels))
            scores[metric] = auprc(gold_N, output, classes) if output.ndim == 2 else None
        elif metric == "f1":
            f1: Any = f1_score  # guesses the types of its arguments from their defaults
            is_alike = (gold_N >= task.threshold, predicted_N >= task.threshold)
            scores[metric] = 100 * f1(*is_alike, zero_division=0)
        elif task.regression and not score_is_defined(task, gold_N, predicted_N):
            scores[metric] = None
        else:
            scores[metric] = 100 * compute(task, metric, gold_N, predicted_N)
    return scores


def score_is_defined(task: Task, gold_N: np.ndarray, predicted_N: np.ndarray) -> bool:
    """Whether the primary metric has a value: a correlation with a constant has none."""
    return not task.regression or bool(np.ptp(gold_N) != 0 and np.ptp(predicted_N) != 0)


def auprc(gold_N: np.ndarray, scores_NC: np.ndarray, classes: np.ndarray) -> float:
    """Compute the area under the precision-recall curve, times 100, averaged over some classes.

    One that doesn't occur in `gold_N` has an area of 0.5, as in KLUE-baseline: scikit-learn calls
    its recall 1 at every threshold and 0 behind the last.
    """
    areas: list[float] = []
    for label in classes:
        if not np.any(gold_N == label):
            areas.append(0.5)
            continue
        precision, recall, _ = precision_recall_curve(gold_N == label, scores_NC[:, label])
        areas.append(auc(recall, precision))
    return 100 * float(np.mean(areas))


def primary_metric(task: Task, gold_N: np.ndarray, predicted_N: np.ndarray) -> float:
    """Compute the primary metric, not times 100, of predictions (N,)."""
    return compute(task, task.primary, gold_N, predicted_N)


def compute(task: Task, metric: str, gold_N: np.ndarray, predicted_N: np.ndarray) -> float:
    """Compute a metric of predictions (N,), not times 100; NaN for a correlation with a constant.

    The values are scikit-learn's and scipy's, which would take seconds for the thousand resamples
    of a bootstrap.
    """
    if task.regression:
        if metric == "spearman":
            gold_N, predicted_N = rankdata(gold_N), rankdata(predicted_N)
        with np.errstate(invalid="ignore"):
            return float(np.corrcoef(gold_N, predicted_N)[0, 1])
    count_CC = _count_pairs(gold_N, predicted_N, len(task.labels))
    right_C = np.diag(count_CC)
    gold_C = count_CC.sum(1)
    predicted_C = count_CC.sum(0)
    if metric == "accuracy":
        return float(right_C.sum() / len(gold_N))
    if metric == "mcc":
        return _matthews(int(right_C.sum()), gold_C, predicted_C)
    both_C = gold_C + predicted_C
    if metric == "macro_f1":
        # As in scikit-learn, classes in neither gold nor prediction don't count.
        occurs_C = both_C > 0
        return float(np.mean(2 * right_C[occurs_C] / both_C[occurs_C]))
    counts_C = np.array([label != task.ignored_label for label in task.labels])
    total = both_C[counts_C].sum()
    return float(2 * right_C[counts_C].sum() / total) if total else 0.0


def _matthews(num_right: int, gold_C: np.ndarray, predicted_C: np.ndarray) -> float:
    """The correlation of labels (Gorodkin 2004), 0 where one side has one label only."""
    num_rows = int(gold_C.sum())
    spread_of_gold = num_rows**2 - int((gold_C.astype(object) ** 2).sum())
    spread_of_predicted = num_rows**2 - int((predicted_C.astype(object) ** 2).sum())
    if not spread_of_gold or not spread_of_predicted:
        return 0.0
    together = num_right * num_rows - int((gold_C.astype(object) * predicted_C).sum())
    return together / (spread_of_gold * spread_of_predicted) ** 0.5


def confusion(task: Task, gold_N: np.ndarray, runs: list[np.ndarray]) -> list[list[int]]:
    """Count the rows of each gold label (down) and predicted label (across), over all runs.

    Of a task with scores the labels are its nearest degrees, from the lowest to the highest.
    """
    size = len(task.labels) or len(degrees(task))
    gold_label_N = _to_labels(task, gold_N, size)
    count_CC = np.zeros((size, size), dtype=int)
    for run in runs:
        count_CC += _count_pairs(gold_label_N, _to_labels(task, decide(run), size), size)
    return count_CC.tolist()


def degrees(task: Task) -> list[float]:
    """Scores that stand for all of a task: whole ones if they are few, else eleven."""
    span = task.highest - task.lowest
    num_degrees = int(span) + 1 if span.is_integer() and span <= MAX_DEGREES else MAX_DEGREES + 1
    return np.linspace(task.lowest, task.highest, num_degrees).tolist()


def _to_labels(task: Task, values_N: np.ndarray, size: int) -> np.ndarray:
    if task.regression:
        step = (task.highest - task.lowest) / (size - 1)
        values_N = (values_N - task.lowest) / step
    return np.rint(values_N).astype(int).clip(0, size - 1)


def _count_pairs(gold_N: np.ndarray, predicted_N: np.ndarray, size: int) -> np.ndarray:
    """The rows of each gold label (down) and predicted label (across), of `size` labels each."""
    return np.bincount(gold_N * size + predicted_N, minlength=size * size).reshape(size, size)
