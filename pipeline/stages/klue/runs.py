"""Every run's predictions: made when they are first asked for, kept in files, read from there."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpora.tasks.task import TASKS, Task
from pipeline.artifacts.files import append_json, write_text
from pipeline.evaluation.metrics import decide
from pipeline.stages.klue.arms import Arm
from pipeline.stages.klue.experiment import Experiment


@dataclass
class Runs:
    """The predictions of an experiment."""

    experiment: Experiment
    folder: Path  # predictions/ gets the predictions, logs/ the seconds of each run

    def predict(self, arm: Arm, task: Task, num_rows: int) -> dict[int, np.ndarray]:
        """Return predictions (N,) or scores (N, C) by seed, from `num_rows` train rows that the
        seed draws; 0 is all of them."""
        if arm.is_baseline and not num_rows:
            seeds = [0]  # nothing is drawn
        else:
            seeds = list(range(1, self.experiment.settings.seeds + 1))
        return {seed: self._predict_once(arm, task, num_rows, seed) for seed in seeds}

    def _predict_once(self, arm: Arm, task: Task, num_rows: int, seed: int) -> np.ndarray:
        path = self._path(task.name, arm, num_rows, seed)
        if not path.exists():
            start = time.monotonic()
            outputs = arm.predict(self.experiment, task, num_rows, seed)
            # One model for all tasks answers them all at once.
            for name, output in outputs.items():
                self._write(self._path(name, arm, num_rows, seed), TASKS[name], output)
            seconds = round(time.monotonic() - start, 2)
            run = {"task": task.name, "arm": arm.name, "rows": num_rows, "seed": seed}
            append_json(self.folder / "logs" / "runs.jsonl", **run, seconds=seconds)
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return np.array([row.get("scores", row["prediction"]) for row in rows])

    def _path(self, task_name: str, arm: Arm, num_rows: int, seed: int) -> Path:
        parts = [task_name, arm.name]
        if num_rows:
            parts.append(f"{num_rows}rows")
        if seed:
            parts.append(str(seed))
        return self.folder / "predictions" / f"{'-'.join(parts)}.jsonl"

    def _write(self, path: Path, task: Task, output: np.ndarray) -> None:
        has_scores = output.ndim == 2
        if has_scores:
            output = np.vectorize(lambda score: float(f"{score:.6g}"))(output)
        validation = self.experiment.rows[task.name].validation
        lines: list[str] = []
        for row, prediction, scores in zip(validation, decide(output).tolist(), output.tolist()):
            line = {"guid": row["guid"], "label": task.target(row), "prediction": prediction}
            if has_scores:
                line["scores"] = scores
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
        write_text(path, "".join(lines))
