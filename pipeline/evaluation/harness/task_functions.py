"""What the task files beside this one name: a task's rows as prompts with shots, and its metrics.

lm-evaluation-harness calls these, here and from its own command line."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import AutoConfig, AutoTokenizer

from corpora.errors import require
from corpora.tasks.rows import load_rows, load_task
from corpora.tasks.task import Row, Task, find_task
from pipeline.evaluation.harness.scoring import CALIBRATED
from pipeline.evaluation.metrics import score
from pipeline.evaluation.prompts import answer, calibrate, require_prompts, write_prompt

BETWEEN_SHOTS = "\n\n"


def documents(
    task: str,
    pretrained: str,
    klue: str = "hub",
    prompt: int = 1,
    shots: int = 0,
    seed: int = 1,
    rows: int = 0,
    **_: Any,
) -> dict[str, Dataset]:
    """Make the validation rows into prompts: the harness's `custom_dataset`.

    Arguments come from the task file, --model_args and --metadata: `shots` are drawn from train for
    every row, and `rows` of the validation rows are asked, the same for every model (0 is all of
    them). A prompt holds as many whole shots as the model's context has room for beside the longest
    word; what doesn't fit without shots is cut and counted. Returns {"validation": dataset} with
    the columns prompt, words, label, gold, task, guid, shots and cut. Raises UserError for a prompt
    that isn't there.
    """
    found = load_task(task)
    require_prompts(found)
    num_prompts = len(found.prompts)
    require(1 <= prompt <= num_prompts, f"prompt={prompt}: {task} has prompts 1 to {num_prompts}.")
    fits = _fits_context(pretrained, found.words)
    pool = load_rows(klue, found, "train")
    validation = load_rows(klue, found, "validation")
    if 0 < rows < len(validation):
        validation = random.Random(0).sample(validation, rows)
    asked: list[Row] = []
    for row in validation:
        # A draw of its own for each row: it's the same whatever other rows are asked.
        generator = random.Random(f"{seed} {row['guid']}")
        drawn = generator.sample(pool, min(shots, len(pool)))
        asked.append(_ask(task, found, prompt, row, drawn, fits))
    return {"validation": Dataset.from_list(asked)}


def process_results(document: Row, results: list[tuple[float, bool]]) -> dict[str, tuple]:
    """Return what `aggregate` needs of one row, for every metric.

    `results` are each word's log-likelihood and whether it is the likeliest text.
    """
    scores = [log_likelihood for log_likelihood, _ in results]
    metrics = find_task(document["task"]).metrics
    return {
        prefix + metric: (document["task"], prefix + metric, document["gold"], scores)
        for prefix in ("", CALIBRATED)
        for metric in metrics
    }


def aggregate(items: list[tuple[str, str, float, list[float]]]) -> float:
    """Compute KLUE's own metric over all rows, times 100, from what `process_results` returned.

    A name that begins with calibrated_ means the metric after calibration. NaN where the metric
    isn't defined.
    """
    task_name, name, _, _ = items[0]
    task = load_task(task_name)
    gold_N = np.array([gold for _, _, gold, _ in items], dtype=float if task.regression else int)
    scores_NC = np.array([scores for _, _, _, scores in items])
    if name.startswith(CALIBRATED):
        scores_NC = calibrate(scores_NC)
    value = score(task, gold_N, answer(task, scores_NC))[name.removeprefix(CALIBRATED)]
    return float("nan") if value is None else value


def _fits_context(model: str, words: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a text and any of the words have room in the context of the model in a folder."""
    tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
    config = AutoConfig.from_pretrained(model, local_files_only=True)

    def count_tokens(text: str) -> int:
        return len(tokenizer(text, verbose=False)["input_ids"])

    room = config.max_position_embeddings - max(count_tokens(f" {word}") for word in words)
    return lambda text: count_tokens(text) <= room


def _ask(
    name: str,
    task: Task,
    number: int,
    row: Row,
    drawn: list[Row],
    fits: Callable[[str], bool],
) -> Row:
    """A document of the harness: the row as a prompt, after as many of the drawn shots as fit.

    `name` is the task's, or its file's.
    """
    words = task.words
    question = write_prompt(task, number, row, fits)
    shots: list[str] = []
    for each in drawn:
        shot = f"{write_prompt(task, number, each).text} {words[task.degree(each)]}"
        if fits(BETWEEN_SHOTS.join([*shots, shot, question.text])):
            shots.append(shot)
    gold = float(task.target(row))
    return {
        "prompt": BETWEEN_SHOTS.join([*shots, question.text]),
        "words": list(words),
        "label": task.degree(row),
        "gold": gold,
        "task": name,
        "guid": row["guid"],
        "shots": len(shots),
        "cut": question.was_cut,
    }
