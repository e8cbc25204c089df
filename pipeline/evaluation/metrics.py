"""KLUE's metrics, as KLUE-baseline computes them, times 100, and their bootstrap intervals. No models, no files."""
import numpy as np
from scipy.stats import pearsonr
from sklearn.metrics import auc, f1_score, precision_recall_curve

from corpora.tasks.task import Task

STS_THRESHOLD = 3.0
RESAMPLES = 1000


def decide(output: np.ndarray) -> np.ndarray:
    """Predictions (N,): the output itself, or of scores (N, C) the place of the largest."""
    return output.argmax(1) if output.ndim == 2 else output


def score(task: Task, gold_N: np.ndarray, output: np.ndarray) -> dict[str, float | None]:
    """Every metric of the task, times 100, of predictions (N,) or scores (N, C); None where it isn't defined: Pearson
    for constant predictions, AUPRC without scores, which rank the rows for each class."""
    predicted_N = decide(output)
    if task.regression:
        constant = np.ptp(gold_N) == 0 or np.ptp(predicted_N) == 0
        return {"pearson": None if constant else 100 * float(pearsonr(gold_N, predicted_N).statistic),
                "f1": 100 * f1_score(gold_N >= STS_THRESHOLD, predicted_N >= STS_THRESHOLD, zero_division=0)}
    found = {task.primary: 100 * float(_quick_primary(task, gold_N, predicted_N))}
    return found | ({"auprc": auprc(gold_N, output) if output.ndim == 2 else None} if task.entities else {})


def auprc(gold_N: np.ndarray, scores_NC: np.ndarray) -> float:
    """Area under the precision-recall curve, averaged over the classes that occur in `gold_N`."""
    curves = (precision_recall_curve(gold_N == label, scores_NC[:, label]) for label in np.unique(gold_N))
    return 100 * float(np.mean([auc(recall, precision) for precision, recall, _ in curves]))


def interval(task: Task, gold_N: np.ndarray, runs: list[np.ndarray], others: list[np.ndarray] | None = None,
             seed: int = 0) -> list[float] | None:
    """95 % percentile bootstrap over validation rows of the primary metric's mean over `runs`, each one's output
    (Efron 1979); with `others`, of how much that is above theirs: a paired bootstrap, as the same resampled rows serve
    every run. None where the metric isn't defined."""
    if any(score(task, gold_N, side[0])[task.primary] is None for side in (runs, others) if side):
        return None
    generator, sides = np.random.default_rng(seed), [list(map(decide, side or [])) for side in (runs, others)]
    found = []
    for _ in range(RESAMPLES):
        rows = generator.integers(0, len(gold_N), len(gold_N))
        mean, other = (np.mean([_quick_primary(task, gold_N[rows], run_N[rows]) for run_N in side]) if side else 0
                       for side in sides)
        found.append(100 * float(mean - other))
    return [float(bound) for bound in np.nanpercentile(found, [2.5, 97.5])]


def confusion(task: Task, gold_N: np.ndarray, runs: list[np.ndarray]) -> list[list[int]]:
    """Rows of gold label (down) and predicted label (across), over all runs; for regression of nearest degrees."""
    size = len(task.labels) or 6
    pairs = [size * np.rint(gold_N).astype(int) + np.rint(decide(run)).astype(int).clip(0, size - 1) for run in runs]
    return np.bincount(np.concatenate(pairs), minlength=size * size).reshape(size, size).tolist()


def _quick_primary(task: Task, gold_N: np.ndarray, predicted_N: np.ndarray) -> float:
    """The primary metric, not times 100: scikit-learn's values, which it would take seconds for in 1000 resamples."""
    if task.regression:
        with np.errstate(invalid="ignore"):  # a resample of equal rows has no correlation; nanpercentile skips it
            return np.corrcoef(gold_N, predicted_N)[0, 1]
    size = len(task.labels)
    count_CC = np.bincount(gold_N * size + predicted_N, minlength=size * size).reshape(size, size)
    hits_C, sides_C = 2 * np.diag(count_CC), count_CC.sum(0) + count_CC.sum(1)
    if task.primary == "macro_f1":
        present_C = sides_C > 0  # as scikit-learn: classes in neither gold nor prediction don't count
        return np.mean(hits_C[present_C] / sides_C[present_C])
    first = int(task.entities)  # no_relation, class 0, counts only as an error of the others; F1 of all is the accuracy
    return hits_C[first:].sum() / sides_C[first:].sum() if sides_C[first:].any() else 0.0
