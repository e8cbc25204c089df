"""Confidence intervals of the metrics by the bootstrap over validation rows (Efron 1979), of one
model's score and, paired, of the difference between two."""

import numpy as np

from corpora.tasks.task import Task
from pipeline.evaluation.metrics import decide, primary_metric, score_is_defined

NUM_RESAMPLES = 1000
PERCENTILES = (2.5, 97.5)


def resample(task: Task, gold_N: np.ndarray, runs: list[np.ndarray]) -> np.ndarray | None:
    """Return the primary metric's mean over `runs` for each resample of the rows, (R,).

    `runs` are outputs for the same rows, one a seed: predictions (N,) or scores (N, C). The rows of
    the resamples are the same in every call. None where the metric isn't defined.
    """
    predictions = [decide(run) for run in runs]
    if not score_is_defined(task, gold_N, predictions[0]):
        return None
    generator = np.random.default_rng(0)
    means_R = np.empty(NUM_RESAMPLES)
    for number in range(NUM_RESAMPLES):
        rows = generator.integers(0, len(gold_N), len(gold_N))
        means_R[number] = np.mean(
            [primary_metric(task, gold_N[rows], predicted_N[rows]) for predicted_N in predictions]
        )
    return means_R


def interval(means_R: np.ndarray | None) -> list[float] | None:
    """Return the 95 % percentile interval, times 100, of the resampled means."""
    if means_R is None:
        return None
    # A resample of equal rows has no correlation: it is NaN, and left out.
    return [float(bound) for bound in np.nanpercentile(100 * means_R, PERCENTILES)]


def paired_interval(means_R: np.ndarray | None, others_R: np.ndarray | None) -> list[float] | None:
    """Return the 95 % percentile interval of how much the first are above the others, times 100.

    It is paired: the same resampled rows serve both sides, so that what is hard for both cancels
    out.
    """
    if means_R is None or others_R is None:
        return None
    return interval(means_R - others_R)
