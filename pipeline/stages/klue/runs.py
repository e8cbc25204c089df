"""The runs of the stage, each made by itself and kept in files: which there are, how one is made,
and how its predictions are read."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from corpora.tasks.task import Task
from pipeline.artifacts.files import append_json, write_text
from pipeline.artifacts.locks import locked
from pipeline.artifacts.manifest import SCRATCH
from pipeline.evaluation.metrics import decide
from pipeline.evaluation_settings import KlueSettings
from pipeline.evaluation_settings import task_name as short_name
from pipeline.stages.klue.arms import ARMS, RANDOM_TWIN, Arm, choose_arms
from pipeline.stages.klue.experiment import Experiment, open_experiment
from pipeline.stages.klue.rows import TaskRows

CURVE_SIZES = (100, 300, 1000, 3000, 10000)  # train rows of the learning curve, below all of them


@dataclass(frozen=True)
class Run:
    """What one model, or baseline, is trained on; its predictions depend on nothing else."""

    arm: str
    tasks: tuple[str, ...]  # which it is trained on and asked: one, or all of a joint model
    num_rows: int  # train rows of each task, drawn by the seed; 0 is all of them
    seed: int  # 0: nothing is drawn

    @property
    def name(self) -> str:
        """What its shard is called."""
        return "-".join((*self.tasks, *self._label))

    def predictions(self, task_name: str) -> Path:
        """Return the file, in the stage's folder, of its answers to one of its tasks."""
        return Path("predictions", "-".join((task_name, *self._label)) + ".jsonl")

    @property
    def model(self) -> Path:
        """Return the folder, in the stage's folder, of its model if it is kept."""
        seed = [f"seed{self.seed}"] if self.seed > 1 else []
        tasks = [] if ARMS[self.arm].is_joint else self.tasks
        return Path("models", "-".join((*tasks, ARMS[self.arm].head or "", *seed)))

    def is_kept(self, settings: KlueSettings) -> bool:
        """Whether its model is: that of a twin or of a point of the learning curve isn't."""
        is_first = self.seed == 1 and settings.keep_models == "first"
        return (
            (is_first or settings.keep_models == "all")
            and self.num_rows == settings.train_rows
            and not ARMS[self.arm].is_baseline
            and self.arm != RANDOM_TWIN.name
        )

    @property
    def _label(self) -> list[str]:
        rows = [f"{self.num_rows}rows"] if self.num_rows else []
        seed = [str(self.seed)] if self.seed else []
        return [self.arm, *rows, *seed]


def list_runs(settings: KlueSettings, rows: dict[str, TaskRows]) -> list[Run]:
    """List every run once: task after task, those of its table and then those of its curve."""
    arms = choose_arms(settings)
    runs: list[Run] = []
    for name, of_task in rows.items():
        for arm in arms:
            runs += runs_of(arm, name, settings.train_rows, settings)
        for arm in arms:
            if settings.curve and arm.has_curve:
                for num_rows in curve_sizes(of_task).values():
                    runs += runs_of(arm, name, num_rows, settings)
    return list(dict.fromkeys(runs))


def runs_of(arm: Arm, task_name: str, num_rows: int, settings: KlueSettings) -> list[Run]:
    """List the runs, one a seed, that answer a task after training on so many rows."""
    draws_nothing = arm.is_baseline and not num_rows
    seeds = [0] if draws_nothing else list(range(1, settings.seeds + 1))
    all_tasks = tuple(map(short_name, settings.tasks))
    tasks = all_tasks if arm.is_joint else (task_name,)
    return [Run(arm.name, tasks, num_rows, seed) for seed in seeds]


def curve_sizes(rows: TaskRows) -> dict[int, int]:
    """Return the learning curve's numbers of rows, and how each is written in a run."""
    num_train = len(rows.train)
    # All rows are written as 0, and shared with the table's runs.
    return {size: size for size in CURVE_SIZES if size < num_train} | {num_train: 0}


def make_run(
    run: Run, settings: str, model: Path, folder: Path, device: str, threads: int | None
) -> None:
    """Make a run's predictions, and its model if that is kept, unless they are in the folder; log
    its seconds.

    `settings` are KlueSettings as JSON; `threads` are torch's, None as many as it chooses.
    """
    paths = {name: folder / run.predictions(name) for name in run.tasks}
    is_kept = run.is_kept(KlueSettings.model_validate_json(settings))
    model_folder = folder / run.model if is_kept else None
    if all(path.exists() for path in (*paths.values(), model_folder or folder)):
        return
    if threads:
        torch.set_num_threads(threads)
    experiment = open_experiment(settings, model, device)
    start = time.monotonic()
    tasks = [experiment.rows[name].task for name in run.tasks]
    outputs = ARMS[run.arm].predict(experiment, tasks, run.num_rows, run.seed, model_folder)
    for name, path in paths.items():
        write_predictions(path, experiment.rows[name], outputs[name])
    seconds = round(time.monotonic() - start, 2)
    log = {"task": run.tasks[0], "arm": run.arm, "rows": run.num_rows, "seed": run.seed}
    cost = {"seconds": seconds, "threads": torch.get_num_threads()}
    with locked(folder / SCRATCH / "log.lock"):
        append_json(folder / "logs" / "runs.jsonl", **log, **cost)


def write_predictions(path: Path, rows: TaskRows, output: np.ndarray) -> None:
    """Write what is said of every validation row: predictions (N,) or scores (N, C)."""
    has_scores = output.ndim == 2
    if has_scores:
        output = np.vectorize(lambda score: float(f"{score:.6g}"))(output)
    lines: list[str] = []
    for row, prediction, scores in zip(rows.validation, decide(output).tolist(), output.tolist()):
        line = {"guid": row["guid"], "label": rows.task.target(row), "prediction": prediction}
        if has_scores:
            line["scores"] = scores
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    write_text(path, "".join(lines))


@dataclass
class Runs:
    """The predictions of an experiment's runs, all of which are made."""

    experiment: Experiment
    folder: Path

    def read(self, arm: Arm, task: Task, num_rows: int) -> dict[int, np.ndarray]:
        """Return predictions (N,) or scores (N, C) by seed, from `num_rows` train rows that the
        seed draws; 0 is all of them."""
        runs = runs_of(arm, task.name, num_rows, self.experiment.settings)
        return {run.seed: self._read(run.predictions(task.name)) for run in runs}

    def _read(self, path: Path) -> np.ndarray:
        lines = (self.folder / path).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        return np.array([row.get("scores", row["prediction"]) for row in rows])
