"""A fine-tuned model is tied to its task: every task's model is asked every task, in its words."""

from typing import Any

import numpy as np

from corpora.tasks.task import Task
from pipeline.claims.finding import Curve, Measured, Scored
from pipeline.claims.lab import Lab
from pipeline.evaluation.inputs import Reader
from pipeline.evaluation.language_head import LanguageHead
from pipeline.evaluation.prompts import answer
from pipeline.evaluation.saved.answers import SavedModel
from pipeline.evaluation.words import score_words
from pipeline.evaluation_settings import KlueSettings
from pipeline.stages.klue.experiment import load_tasks
from pipeline.stages.klue.rows import TaskRows, read_rows
from pipeline.stages.klue.runs import Run

PRETRAINED = "not fine-tuned"
JOINT = "all tasks"


def measure(lab: Lab) -> Measured:
    """Ask the models of the first seed that the language head left, one a task and one for all, and
    the one they were made of."""
    settings, stage = lab.fine_tune_all_heads()
    tasks = load_tasks(settings)
    device = lab.new_context().device
    rows = {task.name: read_clean_rows(task, settings) for task in tasks}
    asked: dict[str, LanguageHead | SavedModel] = {
        PRETRAINED: LanguageHead(Reader(lab.pretrain().path, settings.max_length), device)
    }
    for task in tasks:
        own = Run("language", (task.name,), settings.train_rows, seed=1)
        asked[task.title] = SavedModel(stage.path / own.model, device)
    joint = Run("joint", tuple(task.name for task in tasks), settings.train_rows, seed=1)
    asked[JOINT] = SavedModel(stage.path / joint.model, device)
    panels = []
    differences = []
    for task in tasks:
        found = {name: ask(model, task, rows[task.name], device) for name, model in asked.items()}
        points = [scored.at(name) for name, scored in found.items()]
        own = found[task.title]
        panels.append(own.panel([Curve(name="language head", points=points)], has_level=True))
        for other in tasks:
            if other is not task:
                what = f"its own model, less {other.title}'s"
                differences.append(own.less(found[other.title], what))
        differences.append(found[JOINT].less(own, "one model for all tasks, less its own model"))
    return Measured(
        name="other-tasks",
        claim="A model that is fine-tuned on one task can't do another; one for all tasks can.",
        source="Radford et al. 2019 (GPT-2), section 1; Brown et al. 2020 (GPT-3), section 1",
        axis="the model's task",
        panels=panels,
        differences=differences,
    )


def read_clean_rows(task: Task, settings: KlueSettings) -> TaskRows:
    """A task's rows without noisy copies."""
    return read_rows(task, settings.model_copy(update={"noise": False}))


def ask(model: LanguageHead | SavedModel, task: Task, rows: TaskRows, device: str) -> Scored:
    """What a model says of a task's validation rows by the task's words."""
    reader = model.reader
    prompts = reader.encode_prompts(task, rows.validation).ids
    causal: Any = model.model  # a decorator hides `to`
    words = reader.encode_words(task)
    scores_NC = score_words(causal.to(device).eval(), prompts, words, device)
    gold_N = np.array([task.target(row) for row in rows.validation])
    return Scored(task, gold_N, [answer(task, scores_NC)])
