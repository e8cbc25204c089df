"""KLUE as text that a model continues: prompts, their words, and what the words' likelihoods say.

The texts are in prompts.toml; who is asked, and with which shots, is in harness/."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from scipy.special import softmax

from corpora.errors import require
from corpora.settings import Settings, read_toml
from corpora.tasks.task import Row, Task


class TaskPrompts(Settings):
    """One task in words."""

    version: int
    """Raised with every change of a word or a prompt: scores of two versions don't compare."""
    words: tuple[str, ...]
    """What each label is called, in the task's order; for STS the degrees from 0 to 5."""
    prompts: tuple[str, ...]
    """Texts that such a word continues, after a space."""


PROMPTS: Final = {
    name: TaskPrompts.from_table(table, f"prompts.toml, {name}")
    for name, table in read_toml(Path(__file__).with_name("prompts.toml")).items()
}


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
    template = PROMPTS[task.name].prompts[number - 1]
    fields: dict[str, str] = {column: row[column] for column in task.texts}
    if task.entities:
        fields["subject"] = row["subject_entity"]["word"]
        fields["object"] = row["object_entity"]["word"]
    while not fits(text := template.format(**fields)):
        longest = max(fields, key=lambda name: len(fields[name]))
        num_letters = len(fields[longest])
        require(
            num_letters > 0, f"{task.title}: prompt {number} is longer than the model's context."
        )
        fields[longest] = fields[longest][: 9 * num_letters // 10]
    return Prompt(text, any(fields[column] != row[column] for column in task.texts))


def answer(task: Task, scores_NC: np.ndarray) -> np.ndarray:
    """Turn the words' log-likelihoods (N, C) into what the task asks for.

    That is their shares (N, C), which sum to 1, or for STS the expected degree (N,).
    """
    shares_NC = softmax(scores_NC, 1)
    if not task.regression:
        return shares_NC
    degrees_C = np.arange(shares_NC.shape[1])
    return shares_NC @ degrees_C


def calibrate(scores_NC: np.ndarray) -> np.ndarray:
    """Take each word's mean over all rows away from its log-likelihoods (N, C).

    No label is looked at: batch calibration (Zhou et al. 2024).
    """
    return scores_NC - scores_NC.mean(0)
