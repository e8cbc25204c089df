"""Which rows of a task are trained on and which are scored: splits, held-out rows, noisy copies,
draws of fewer rows."""

from dataclasses import dataclass
from itertools import compress

import numpy as np
import xxhash

from corpora.tasks.rows import load_rows
from corpora.tasks.task import SPLITS, Row, Task
from pipeline.evaluation.noise import NOISES, add_noise
from pipeline.evaluation_settings import KlueSettings

CLEAN = "clean"
NEW_ROWS = "new_rows"


@dataclass
class TaskRows:
    """One task's rows.

    `parts` says which of `validation` are which, as booleans (N,): clean, each noise and, where
    sentences of some clean ones stand in train, new_rows: the others.
    """

    task: Task
    train: list[Row]
    validation: list[Row]  # the clean rows, then every noise's copies of all of them
    parts: dict[str, np.ndarray]

    def __post_init__(self) -> None:
        self.gold_N = np.array([self.task.target(row) for row in self.validation])
        self.clean = list(compress(self.validation, self.parts[CLEAN]))


def read_rows(task: Task, settings: KlueSettings) -> TaskRows:
    """Read the task's rows, and make the noisy copies that are wanted.

    With `settings.held_out` an eighth of train stands in for validation, which isn't read at all.
    Raises UserError for rows that can't be read.
    """
    train_split, validation_split = SPLITS
    train = load_rows(settings.data, task, train_split)
    if settings.held_out:
        # Rows of the same first text are on the same side.
        digests = [xxhash.xxh3_64_intdigest(row[task.texts[0]].encode()) for row in train]
        validation = [row for row, digest in zip(train, digests) if digest % 8 == 0]
        train = [row for row, digest in zip(train, digests) if digest % 8 != 0]
    else:
        validation = load_rows(settings.data, task, validation_split)
    kinds = [CLEAN, *(NOISES if settings.noise else ())]
    copies = list(validation)
    for kind in kinds[1:]:
        copies += [add_noise(task, row, kind) for row in validation]
    kind_N = np.repeat(kinds, len(validation))
    parts = {kind: kind_N == kind for kind in kinds}
    if task.entities:
        seen = {row["sentence"] for row in train}
        is_new_N = parts[CLEAN] & [row["sentence"] not in seen for row in copies]
        if 0 < is_new_N.sum() < len(validation):
            parts[NEW_ROWS] = is_new_N
    return TaskRows(task, train, copies, parts)


def draw_rows(num_rows: int, num_wanted: int, seed: int) -> list[int]:
    """Return the numbers of the train rows to use: `num_wanted` drawn by the seed, the same for
    every arm, or all of them for 0."""
    if 0 < num_wanted < num_rows:
        return np.random.default_rng(seed).permutation(num_rows)[:num_wanted].tolist()
    return list(range(num_rows))
