"""KLUE as text that a model continues: zero-, one- and few-shot (Radford et al. 2019, Brown et al. 2020) through
lm-evaluation-harness, whose task files lie in harness/ and call the functions here. Nothing is trained."""
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from transformers import AutoConfig, AutoTokenizer

from corpora.errors import require
from corpora.settings import read_toml
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS, Task
from pipeline.evaluation.metrics import score

PROMPTS = read_toml(Path(__file__).with_name("prompts.toml"))
TASK_FILES = Path(__file__).with_name("harness")
BETWEEN = "\n\n"  # shots
CALIBRATED = "calibrated_"


def write_prompt(task: Task, number: int, row: dict, fits: Callable = lambda text: True) -> tuple[str, bool]:
    """The row as the `number`-th prompt (from 1), and whether its longest text had to be cut for it to fit. Raises
    UserError for a prompt that doesn't fit without its texts."""
    template = PROMPTS[task.name]["prompts"][number - 1]
    fields = {column: row[column] for column in task.texts}
    if task.entities:
        fields |= {"subject": row["subject_entity"]["word"], "object": row["object_entity"]["word"]}
    while not fits(text := template.format(**fields)):
        longest = max(fields, key=lambda name: len(fields[name]))
        require(fields[longest], f"{task.title}: prompt {number} is longer than the model's context.")
        fields[longest] = fields[longest][:9 * len(fields[longest]) // 10]
    return text, any(fields[column] != row[column] for column in task.texts)


def answer(task: Task, scores_NC: np.ndarray) -> np.ndarray:
    """The words' log-likelihoods (N, C) as their shares (N, C), which sum to 1; for STS the expected degree (N,)."""
    shares_NC = np.exp(scores_NC - scores_NC.max(1, keepdims=True))
    shares_NC /= shares_NC.sum(1, keepdims=True)
    return shares_NC @ np.arange(shares_NC.shape[1]) if task.regression else shares_NC


def calibrate(scores_NC: np.ndarray) -> np.ndarray:
    """Without each word's mean over all rows (batch calibration, Zhou et al. 2024). No label is looked at."""
    return scores_NC - scores_NC.mean(0)


def documents(task: str, pretrained: str, klue: str = "hub", prompt: int = 1, shots: int = 0, seed: int = 1,
              rows: int = 0, **_) -> dict:
    """The harness's `custom_dataset`: {"validation": dataset} with columns prompt, words, label, gold, guid, shots
    and cut. Arguments come from the task file, --model_args and --metadata. A prompt holds as many whole shots, of
    the `shots` drawn from train for it, as the model's context has room for beside the longest word; what doesn't
    fit without shots is cut and counted. With `rows`, so many rows drawn by the seed 0, for every model."""
    from datasets import Dataset
    require(prompt in range(1, len(PROMPTS[task]["prompts"]) + 1), f"prompt={prompt}: {task} has prompts 1 to "
            f"{len(PROMPTS[task]['prompts'])}.")
    kind, words = TASKS[task], PROMPTS[task]["words"]
    tokenizer = AutoTokenizer.from_pretrained(pretrained, local_files_only=True)
    config = AutoConfig.from_pretrained(pretrained, local_files_only=True)

    def count(text: str) -> int:
        return len(tokenizer(text, verbose=False)["input_ids"])

    room = config.max_position_embeddings - max(count(f" {word}") for word in words)
    pool, validation = load_rows(klue, kind, "train"), load_rows(klue, kind, "validation")
    if 0 < rows < len(validation):
        validation = random.Random(0).sample(validation, rows)
    found = []
    for row in validation:
        text, cut = write_prompt(kind, prompt, row, lambda text: count(text) <= room)
        kept = []
        # A draw of its own for each row: it's the same whatever other rows are asked.
        for shot in random.Random(f"{seed} {row['guid']}").sample(pool, min(shots, len(pool))):
            shown = f"{write_prompt(kind, prompt, shot)[0]} {words[round(kind.target(shot))]}"
            if count(BETWEEN.join([*kept, shown, text])) <= room:
                kept.append(shown)
        gold = float(kind.target(row))
        found.append({"prompt": BETWEEN.join([*kept, text]), "words": words, "label": round(gold), "gold": gold,
                      "task": task, "guid": row["guid"], "shots": len(kept), "cut": cut})
    return {"validation": Dataset.from_list(found)}


def process_results(document: dict, results: list[tuple[float, bool]]) -> dict:
    """What `aggregate` needs of one row, for every metric."""
    scores = [log_likelihood for log_likelihood, _ in results]
    return {prefix + metric: (document["task"], prefix + metric, document["gold"], scores)
            for prefix in ("", CALIBRATED) for metric in TASKS[document["task"]].metrics}


def aggregate(items: list[tuple]) -> float:
    """KLUE's own metric over all rows, times 100; with the prefix calibrated_ after calibration."""
    tasks, names, gold, scores = zip(*items)
    task, name, scores_NC = TASKS[tasks[0]], names[0], np.array(scores)
    if name.startswith(CALIBRATED):
        scores_NC = calibrate(scores_NC)
    gold_N = np.array(gold, dtype=float if task.regression else int)
    value = score(task, gold_N, answer(task, scores_NC))[name.removeprefix(CALIBRATED)]
    return float("nan") if value is None else value
