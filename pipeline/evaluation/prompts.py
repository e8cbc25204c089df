"""A task's rows as text that a model continues, and what the words' likelihoods say.

The texts are the task's own (corpora/tasks/prompts.toml for KLUE's); who is asked, and with which
shots, is in harness/."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from corpora.errors import require
from corpora.tasks.task import ENTITIES, Row, Task, typed_word


class Prompt(NamedTuple):
    """A row as text that a word continues."""

    text: str
    was_cut: bool  # whether one of the row's own texts had to be shortened


def write_prompt(
    task: Task, number: int, row: Row, fits: Callable[[str], bool] = lambda text: True
) -> Prompt:
    """Write the row as the `number`-th prompt, from 1.

    While it doesn't fit, its longest text loses a tenth. Raises UserError for a prompt that doesn't
    fit even without its texts.
    """
    require_prompts(task)
    template = task.prompts[number - 1]
    fields: dict[str, str] = {
        name: typed_word(row, task, column) if column in ENTITIES else row[column]
        for name, column in task.prompt_fields.items()
    }
    whole = dict(fields)
    while not fits(text := template.format(**fields)):
        longest = max(fields, key=lambda name: len(fields[name]))
        num_letters = len(fields[longest])
        require(
            num_letters > 0, f"{task.title}: prompt {number} is longer than the model's context."
        )
        fields[longest] = fields[longest][: 9 * num_letters // 10]
    return Prompt(text, was_cut=fields != whole)


def require_prompts(task: Task) -> None:
    """Raise UserError for a task that can't be asked in words."""
    require(
        task.prompts and len(task.words) > 1,
        f"task {task.name}: has no prompts, with a word for each label, in its file: leave it out, "
        "or add prompts and words.",
    )


def answer(task: Task, scores_NC: np.ndarray) -> np.ndarray:
    """Turn the words' log-likelihoods (N, C) into what the task asks for.

    That is their shares (N, C), which sum to 1, or of a task with scores the expected score (N,).
    """
    shares_NC = softmax(scores_NC, 1)
    if not task.regression:
        return shares_NC
    scores_C = np.linspace(task.lowest, task.highest, shares_NC.shape[1])
    return shares_NC @ scores_C


def calibrate(scores_NC: np.ndarray) -> np.ndarray:
    """Take each word's mean over all rows away from its log-likelihoods (N, C).

    No label is looked at: batch calibration (Zhou et al. 2024).
    """
    return scores_NC - scores_NC.mean(0)
