"""Where claims are measured: the preset's models, evaluated under settings that a claim changes.
Every such run of a stage is an artifact with a key of its own, so none is made twice."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from corpora.tasks.task import Task
from pipeline.artifacts.files import read_json
from pipeline.artifacts.store import Artifact
from pipeline.claims.finding import Scored
from pipeline.evaluation.noise import NOISES
from pipeline.evaluation.prompts import answer, calibrate
from pipeline.evaluation_settings import Head, KlueSettings, PromptSettings
from pipeline.executors import Context
from pipeline.presets import Preset
from pipeline.settings import PretrainSettings
from pipeline.stages.klue.arms import ARMS
from pipeline.stages.klue.runs import runs_of
from pipeline.stages.stage import find_finished, run_stage

KEPT = ("none", "first", "all")  # klue.keep_models, from little to much
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
    variant: str = ""
    """What its runs' names begin with, where the model isn't the preset's own."""

    def pretrained(self, name: str, **changes: Any) -> "Lab":
        """The same lab with a model that is pretrained under changed settings."""
        settings = PretrainSettings(**self.preset.pretrain.model_dump() | changes)
        preset = self.preset.model_copy(update={"pretrain": settings})
        return replace(self, preset=preset, variant=name)

    def pretrain(self) -> Artifact:
        """The model, which is pretrained if it isn't there; raises UserError as the stage does."""
        preset = self._named("") if self.variant else self.preset
        return run_stage("pretrain", preset, self.artifacts, self.data, self.new_context)

    def fine_tune(self, name: str, **changes: Any) -> tuple[KlueSettings, Artifact]:
        """Linear heads on the model, under the preset's settings with changes: klue-eval's own
        artifact, if it is there and has all that is wanted."""
        given = self.preset.klue
        plain: dict[str, Any] = PLAIN | {"head": ("linear",)}
        wanted = KlueSettings(**given.model_dump() | plain | changes)
        if covers(given, wanted):
            own = find_finished("klue", self.preset, self.data, self.artifacts)
            if own:
                return given, own
        return wanted, self._run("klue", name, wanted)

    def fine_tune_all_heads(self) -> tuple[KlueSettings, Artifact]:
        """Every head on the model; the models of the first seed are kept."""
        return self.fine_tune("heads", head=get_args(Head), keep_models="first")

    def ask(
        self, name: str, model: Path, shots: tuple[int, ...]
    ) -> tuple[PromptSettings, Artifact]:
        """Prompts without training, put to the model of a folder."""
        changes: dict[str, Any] = {"model": str(model), "shots": shots}
        settings = PromptSettings(**self.preset.prompt.model_dump() | changes)
        return settings, self._run("prompt", name, settings)

    def _run(self, stage: str, name: str, settings: KlueSettings | PromptSettings) -> Artifact:
        preset = self._named(name).model_copy(update={stage: settings})
        return run_stage(stage, preset, self.artifacts, self.data, self.new_context)

    def _named(self, name: str) -> Preset:
        """The preset under a name of its own, so that its links stay."""
        parts = "-".join(part for part in (self.variant, name) if part)
        return self.preset.model_copy(update={"name": f"{self.preset.name}-claims/{parts}"})


def covers(given: KlueSettings, wanted: KlueSettings) -> bool:
    """Whether a run under `given` leaves all that one under `wanted` would, and the same."""
    more = ("baselines", "control", "noise", "curve")
    others = {"head", "keep_models", *more}
    return (
        given.model_dump(exclude=others) == wanted.model_dump(exclude=others)
        and set(given.head) >= set(wanted.head)
        and all(getattr(given, name) >= getattr(wanted, name) for name in more)
        and KEPT.index(given.keep_models) >= KEPT.index(wanted.keep_models)
    )


def read_fine_tuned(folder: Path, settings: KlueSettings, task: Task, arm: str) -> Scored:
    """What an arm's seeds say of a task's rows, from the stage's folder."""
    gold_N = np.empty(0)
    outputs: list[np.ndarray] = []
    for run in runs_of(ARMS[arm], task.name, settings.train_rows, settings):
        lines = (folder / run.predictions(task.name)).read_text(encoding="utf-8").splitlines()
        num_clean = len(lines) // (1 + len(NOISES)) if settings.noise else len(lines)
        rows = [json.loads(line) for line in lines[:num_clean]]  # their noisy copies follow
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
