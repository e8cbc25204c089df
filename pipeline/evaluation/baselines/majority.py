"""The baseline that doesn't look at the text."""

import numpy as np

from corpora.tasks.task import Row, Task


def predict_majority(task: Task, train: list[Row], validation: list[Row]) -> np.ndarray:
    """Predict train's commonest label (of equally common ones the first), or its mean score, for
    every validation row: (N,)."""
    targets_N = np.array([task.target(row) for row in train])
    value = targets_N.mean() if task.regression else np.bincount(targets_N).argmax()
    return np.full(len(validation), value)
