"""Confidence intervals of the metrics by the bootstrap over validation rows (Efron 1979), of one
model's score and, paired, of the difference between two."""

import numpy as np

from corpora.tasks.task import Task
from pipeline.evaluation.metrics import decide, primary_metric, score

RESAMPLES = 1000
PERCENTILES = (2.5, 97.5)


def interval(task: Task, gold_N: np.ndarray, runs: list[np.ndarray]) -> list[float] | None:
    """Return the 95 % percentile interval of the primary metric's mean over `runs`, times 100.

    `runs` are outputs for the same rows, one a seed: predictions (N,) or scores (N, C). None where
    the metric isn't defined.
    """
    if not _is_defined(task, gold_N, runs):
        return None
    return _percentiles(_resampled_means(task, gold_N, runs))


def paired_interval(
    task: Task, gold_N: np.ndarray, runs: list[np.ndarray], others: list[np.ndarray]
) -> list[float] | None:
    """Return the 95 % percentile interval of how much the mean of `runs` is above that of `others`.

    As `interval`, and paired: the same resampled rows serve both sides, so that what is hard for
    both cancels out.
    """
    if not _is_defined(task, gold_N, runs) or not _is_defined(task, gold_N, others):
        return None
    means = _resampled_means(task, gold_N, runs)
    return _percentiles(means - _resampled_means(task, gold_N, others))


def _is_defined(task: Task, gold_N: np.ndarray, runs: list[np.ndarray]) -> bool:
    return score(task, gold_N, runs[0])[task.primary] is not None


def _resampled_means(task: Task, gold_N: np.ndarray, runs: list[np.ndarray]) -> np.ndarray:
    """The metric's mean over the runs for each resample of the rows, which are always the same."""
    generator = np.random.default_rng(0)
    predictions = [decide(run) for run in runs]
    means = np.empty(RESAMPLES)
    for number in range(RESAMPLES):
        rows = generator.integers(0, len(gold_N), len(gold_N))
        means[number] = np.mean(
            [primary_metric(task, gold_N[rows], predicted_N[rows]) for predicted_N in predictions]
        )
    return means


def _percentiles(means: np.ndarray) -> list[float]:
    # A resample of equal rows has no correlation: it is NaN, and left out.
    return [float(bound) for bound in np.nanpercentile(100 * means, PERCENTILES)]
