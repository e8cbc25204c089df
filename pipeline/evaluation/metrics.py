"""KLUE's metrics, as KLUE-baseline computes them, times 100, and their bootstrap intervals. No models, no files."""
import numpy as np
from scipy.stats import pearsonr
from sklearn.metrics import auc, f1_score, precision_recall_curve

from corpora.klue import Task

STS_THRESHOLD = 3.0
RESAMPLES = 1000


def score(task: Task, gold_N: np.ndarray, predicted_N: np.ndarray,
          scores_NC: np.ndarray | None = None) -> dict[str, float | None]:
    """Every metric of the task, times 100; None where it isn't defined.

    Pearson isn't defined for constant predictions; AUPRC not without `scores_NC`, which rank the rows for each class.
    """
    if task.name == "ynat":
        return {"macro_f1": 100 * f1_score(gold_N, predicted_N, average="macro")}
    if task.name == "nli":
        return {"accuracy": 100 * float(np.mean(gold_N == predicted_N))}
    if task.name == "sts":
        high_N, predicted_high_N = gold_N >= STS_THRESHOLD, predicted_N >= STS_THRESHOLD
        return {"pearson": pearson(gold_N, predicted_N),
                "f1": 100 * f1_score(high_N, predicted_high_N, zero_division=0)}
    relations = [label for label, name in enumerate(task.labels) if name != "no_relation"]
    return {"micro_f1": 100 * f1_score(gold_N, predicted_N, average="micro", labels=relations, zero_division=0),
            "auprc": None if scores_NC is None else auprc(gold_N, scores_NC)}


def pearson(gold_N: np.ndarray, predicted_N: np.ndarray) -> float | None:
    if np.ptp(gold_N) == 0 or np.ptp(predicted_N) == 0:
        return None
    return 100 * float(pearsonr(gold_N, predicted_N).statistic)


def auprc(gold_N: np.ndarray, scores_NC: np.ndarray) -> float:
    """Area under the precision-recall curve, averaged over the classes that occur in `gold_N`."""
    areas = []
    for label in np.unique(gold_N):
        precision, recall, _ = precision_recall_curve(gold_N == label, scores_NC[:, label])
        areas.append(auc(recall, precision))
    return 100 * float(np.mean(areas))


def absent_labels(task: Task, gold_N: np.ndarray) -> list[str]:
    """Names of the classes that have no row, and so no share in AUPRC."""
    return [name for label, name in enumerate(task.labels) if label not in gold_N]


def interval(task: Task, gold_N: np.ndarray, runs: list[np.ndarray], seed: int = 0) -> list[float] | None:
    """95 % percentile bootstrap over validation rows of the primary metric's mean over `runs`, each (N,) predictions.

    The same resampled rows serve every run. None where the metric isn't defined (Efron 1979).
    """
    if score(task, gold_N, runs[0])[task.primary] is None:
        return None
    generator = np.random.default_rng(seed)
    primary = _pearson_of(gold_N, runs) if task.regression else _counted(task, gold_N, runs)
    means = [primary(generator.integers(0, len(gold_N), len(gold_N))) for _ in range(RESAMPLES)]
    return [float(bound) for bound in np.nanpercentile(means, [2.5, 97.5])]


def _counted(task: Task, gold_N: np.ndarray, runs: list[np.ndarray]):
    """The primary metric from confusion counts: scikit-learn's functions would take seconds for 1000 resamples."""
    size = len(task.labels)
    cells = [gold_N * size + predicted_N for predicted_N in runs]
    metric = {"macro_f1": _macro_f1, "accuracy": _accuracy, "micro_f1": _micro_f1}[task.primary]

    def mean_over_runs(rows: np.ndarray) -> float:
        counts = (np.bincount(cell_N[rows], minlength=size * size).reshape(size, size) for cell_N in cells)
        return 100 * float(np.mean([metric(count_CC) for count_CC in counts]))

    return mean_over_runs


def _accuracy(count_CC: np.ndarray) -> float:
    return np.trace(count_CC) / count_CC.sum()


def _macro_f1(count_CC: np.ndarray) -> float:
    sides_C = count_CC.sum(0) + count_CC.sum(1)
    present_C = sides_C > 0  # as scikit-learn: classes in neither gold nor prediction don't count
    return np.mean(2 * np.diag(count_CC)[present_C] / sides_C[present_C])


def _micro_f1(count_CC: np.ndarray) -> float:
    """RE's: class 0 is no_relation and counts only as an error of the others."""
    sides = count_CC[:, 1:].sum() + count_CC[1:, :].sum()
    return 2 * np.trace(count_CC[1:, 1:]) / sides if sides else 0.0


def _pearson_of(gold_N: np.ndarray, runs: list[np.ndarray]):
    def mean_over_runs(rows: np.ndarray) -> float:
        with np.errstate(invalid="ignore"):  # a resample of equal rows has no correlation; nanpercentile skips it
            return 100 * float(np.mean([np.corrcoef(gold_N[rows], predicted_N[rows])[0, 1] for predicted_N in runs]))

    return mean_over_runs
