"""Where claims are measured: the preset's models, evaluated under settings that a claim changes.
Every such run of a stage is an artifact with a key of its own, so none is made twice."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpora.tasks.rows import load_task
from corpora.tasks.task import Task
from pipeline.artifacts.files import read_json
from pipeline.artifacts.store import Artifact
from pipeline.claims.finding import Scored
from pipeline.evaluation.prompts import answer, calibrate
from pipeline.evaluation_settings import KlueSettings, PromptSettings
from pipeline.executors import Context
from pipeline.presets import Preset
from pipeline.stages.klue.runs import Run
from pipeline.stages.stage import run_stage

HEADS = ("linear", "language", "joint")
PLAIN = {
    "baselines": False,
    "control": False,
    "noise": False,
    "curve": False,
    "keep_models": "none",
}
"""What a claim of linear heads doesn't need."""


@dataclass
class Lab:
    """What a claim has to work with."""

    preset: Preset
    artifacts: Path
    data: Path | None
    new_context: Callable[[], Context]

    def tasks(self, settings: KlueSettings | PromptSettings) -> list[Task]:
        """The tasks that are asked."""
        return [load_task(name) for name in settings.tasks]

    def pretrain(self) -> Artifact:
        """The preset's model; raises UserError where it isn't built."""
        return run_stage("pretrain", self.preset, self.artifacts, self.data, self.new_context)

    def fine_tune(self, name: str, **changes: Any) -> tuple[KlueSettings, Artifact]:
        """Linear heads on the preset's model, under its settings with changes."""
        plain: dict[str, Any] = PLAIN | {"head": ("linear",)}
        settings = KlueSettings(**self.preset.klue.model_dump() | plain | changes)
        return settings, self._run("klue", name, settings)

    def fine_tune_all_heads(self) -> tuple[KlueSettings, Artifact]:
        """Every head on the preset's model, whose first seed is kept: klue-eval's own artifact, if
        it is asked for as much."""
        given = self.preset.klue
        if set(HEADS) <= set(given.head) and given.keep_models != "none":
            stage = run_stage("klue", self.preset, self.artifacts, self.data, self.new_context)
            return given, stage
        return self.fine_tune("heads", head=HEADS, keep_models="first")

    def ask(
        self, name: str, model: Path, shots: tuple[int, ...]
    ) -> tuple[PromptSettings, Artifact]:
        """Prompts without training, put to the model of a folder."""
        changes: dict[str, Any] = {"model": str(model), "shots": shots}
        settings = PromptSettings(**self.preset.prompt.model_dump() | changes)
        return settings, self._run("prompt", name, settings)

    def _run(self, stage: str, name: str, settings: KlueSettings | PromptSettings) -> Artifact:
        # Under a name of its own, so that the preset's links stay.
        changes = {"name": f"{self.preset.name}-claims/{name}", stage: settings}
        preset = self.preset.model_copy(update=changes)
        return run_stage(stage, preset, self.artifacts, self.data, self.new_context)


def read_fine_tuned(folder: Path, settings: KlueSettings, task: Task, arm: str) -> Scored:
    """What an arm's seeds say of a task's rows, from the stage's folder."""
    gold_N = np.empty(0)
    outputs: list[np.ndarray] = []
    for seed in range(1, settings.seeds + 1):
        run = Run(arm, (task.name,), settings.train_rows, seed)
        lines = (folder / run.predictions(task.name)).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        gold_N = np.array([row["label"] for row in rows])
        outputs.append(np.array([row.get("scores", row["prediction"]) for row in rows]))
    return Scored(task, gold_N, outputs)


def read_asked(folder: Path, task: Task, shots: int, calibrated: bool = False) -> Scored:
    """What all prompts and draws with so many shots say of a task's rows."""
    runs = [read_json(path) for path in sorted(folder.glob(f"runs/{task.name}-{shots}-*.json"))]
    gold_N = np.array(runs[0]["gold"], dtype=float if task.regression else int)
    outputs: list[np.ndarray] = []
    for run in runs:
        scores_NC = np.array(run["scores"])
        outputs.append(answer(task, calibrate(scores_NC) if calibrated else scores_NC))
    return Scored(task, gold_N, outputs)
