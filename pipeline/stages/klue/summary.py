"""A task's figures, all computed from predictions: metrics, intervals, comparisons, curves.

How they are laid out is in pipeline/reports/templates/klue_table.md."""

from pathlib import Path
from typing import Any

import numpy as np

from corpora.contamination import DECONTAMINATED, fingerprint
from corpora.tasks.rows import is_sample
from corpora.tasks.task import Row, Task
from pipeline.artifacts.files import read_json
from pipeline.evaluation.bootstrap import interval, paired_interval, resample
from pipeline.evaluation.fine_tuning import count_steps
from pipeline.evaluation.metrics import confusion, score
from pipeline.evaluation_settings import KlueSettings
from pipeline.stages.klue.arms import choose_arms
from pipeline.stages.klue.rows import CLEAN, NEW_ROWS, TaskRows
from pipeline.stages.klue.runs import Runs, curve_sizes


def summarise_task(task: Task, runs: Runs) -> dict[str, Any]:
    """Return the task's part of metrics.json."""
    experiment = runs.experiment
    settings = experiment.settings
    rows = experiment.rows[task.name]
    num_clean = len(rows.clean)
    num_train = min(settings.train_rows or len(rows.train), len(rows.train))
    labels = {task.target(row) for row in rows.clean}
    return {
        "split": split_name(task, settings, num_clean),
        "rows": {"train": num_train, "validation": num_clean},
        "seen_rows": num_clean - int(rows.parts.get(NEW_ROWS, rows.parts[CLEAN]).sum()),
        "official_rows": task.official_rows,
        "steps": count_steps(task, num_train, settings),
        "texts": look_up_texts(task, rows.clean, experiment.reader.folder),
        "arms": summarise_arms(rows, runs),
        "curve": summarise_curve(rows, runs) if settings.curve else {},
        "cut_rows": {
            kind: sum(split.num_cut for split in encoded[task.name])
            for kind, encoded in experiment.encoded.items()
        },
        "absent_labels": [name for label, name in enumerate(task.labels) if label not in labels],
    }


def summarise_arms(rows: TaskRows, runs: Runs) -> dict[str, dict[str, Any]]:
    """Return each arm's figures on clean rows, on other parts, and beside the arms before it."""
    settings = runs.experiment.settings
    gold_N = rows.gold_N[rows.parts[CLEAN]]
    arms: dict[str, dict[str, Any]] = {}
    means_of_arms: dict[str, np.ndarray | None] = {}
    for arm in choose_arms(settings):
        outputs = runs.read(arm, rows.task, settings.train_rows)
        clean_outputs = [output[rows.parts[CLEAN]] for output in outputs.values()]
        means_R = resample(rows.task, gold_N, clean_outputs)
        arms[arm.name] = {
            **score_seeds(rows, outputs, CLEAN),
            "interval": interval(means_R),
            "confusion": confusion(rows.task, gold_N, clean_outputs),
            **{
                part: score_seeds(rows, outputs, part)["mean"]
                for part in rows.parts
                if part != CLEAN
            },
            "above": {
                other: paired_interval(means_R, others_R)
                for other, others_R in means_of_arms.items()
            },
        }
        means_of_arms[arm.name] = means_R
    return arms


def summarise_curve(rows: TaskRows, runs: Runs) -> dict[str, dict[int, dict[str, Any]]]:
    """Return figures by arm and number of labelled rows, up to all of them."""
    gold_N = rows.gold_N[rows.parts[CLEAN]]
    curves: dict[str, dict[int, dict[str, Any]]] = {}
    for arm in [each for each in choose_arms(runs.experiment.settings) if each.has_curve]:
        curves[arm.name] = {}
        for size, num_rows in curve_sizes(rows).items():
            outputs = runs.read(arm, rows.task, num_rows)
            clean_outputs = [output[rows.parts[CLEAN]] for output in outputs.values()]
            bounds = interval(resample(rows.task, gold_N, clean_outputs))
            curves[arm.name][size] = {**score_seeds(rows, outputs, CLEAN), "interval": bounds}
    return curves


def score_seeds(rows: TaskRows, outputs: dict[int, np.ndarray], part: str) -> dict[str, Any]:
    """Return every seed's metrics on a part of the rows, their mean and sample standard
    deviation."""
    is_part_N = rows.parts[part]
    seeds = {
        seed: score(rows.task, rows.gold_N[is_part_N], output[is_part_N])
        for seed, output in outputs.items()
    }
    mean: dict[str, float | None] = {}
    sd: dict[str, float | None] = {}
    for metric in rows.task.metrics:
        values = [scores[metric] for scores in seeds.values()]
        defined = [value for value in values if value is not None]
        is_defined = len(defined) == len(values)
        has_spread = is_defined and len(values) > 1
        mean[metric] = float(np.mean(defined)) if is_defined else None
        sd[metric] = float(np.std(defined, ddof=1)) if has_spread else None
    return {"seeds": seeds, "mean": mean, "sd": sd}


def look_up_texts(task: Task, validation: list[Row], model: Path) -> dict[str, int | None]:
    """Count the rows' texts, and those of them that the model's pretraining text was searched for
    before it was used: None where that isn't known. The answer travels with the model."""
    texts = set(fingerprint([row[column] for row in validation for column in task.texts]))
    path = model / DECONTAMINATED
    if not path.exists():
        return {"all": len(texts), "looked_for": None}
    known = read_json(path).get(f"{task.name} validation", [])
    return {"all": len(texts), "looked_for": len(texts.intersection(known))}


def split_name(task: Task, settings: KlueSettings, num_rows: int) -> str:
    """Name the part of KLUE's own validation split that these rows are, for the table's heading."""
    if settings.held_out:
        return "held out of train"
    if task.is_own:
        return "validation" if task.validation else "held out of train"
    if is_sample(settings.data):
        return "sample"
    share = num_rows / task.official_rows["validation"]
    if share == 1:
        return "dev"
    return "half dev" if 0.45 <= share <= 0.55 else "part of dev"
