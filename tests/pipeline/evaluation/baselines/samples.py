"""The sample's rows of a task, as the tests of the baselines want them."""

import numpy as np

from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS, Row, Task


def sample(name: str) -> tuple[Task, list[Row], list[Row]]:
    task = TASKS[name]
    return task, load_rows("sample", task, "train"), load_rows("sample", task, "validation")


def targets(task: Task, rows: list[Row]) -> np.ndarray:
    return np.array([task.target(row) for row in rows])
