"""The arms of the experiment, each a row of the table: how its predictions are made."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from corpora.tasks.task import Row, Task
from pipeline.artifacts.files import whole_folder
from pipeline.evaluation.baselines.majority import predict_majority
from pipeline.evaluation.baselines.tfidf import predict_tfidf
from pipeline.evaluation.fine_tuning import count_steps
from pipeline.evaluation.language_head import LanguageHead, PromptedTask
from pipeline.evaluation.linear_head import Examples, LinearHead
from pipeline.evaluation_settings import Head, KlueSettings
from pipeline.stages.klue.experiment import Experiment
from pipeline.stages.klue.rows import draw_rows

Outputs = dict[str, np.ndarray]
"""By task, what is said of its validation rows: predictions (N,) or scores (N, C)."""


@dataclass(frozen=True)
class Arm:
    """One way to predict a task's validation rows."""

    name: str  # in files and metrics.json
    title: str  # in tables
    # Train rows (0: all), seed, and the folder that the model is saved in, if it's kept.
    predict: Callable[[Experiment, list[Task], int, int, Path | None], Outputs]
    head: Head | None = None  # by which settings.head chooses it; a baseline is always there
    has_curve: bool = False  # whether it is also run on fewer rows, for the learning curve
    is_joint: bool = False  # whether one model does all tasks; `predict` gets one task else

    @property
    def is_baseline(self) -> bool:
        """Whether it has no model, and depends on the seed by the draw of its rows alone."""
        return self.head is None


def apply_baseline(
    baseline: Callable[[Task, list[Row], list[Row]], np.ndarray],
    experiment: Experiment,
    tasks: list[Task],
    num_rows: int,
    seed: int,
    _: Path | None,
) -> Outputs:
    """Fit a baseline, which has no model."""
    [task] = tasks
    rows = experiment.rows[task.name]
    train = [rows.train[row] for row in draw_rows(len(rows.train), num_rows, seed)]
    return {task.name: baseline(task, train, rows.validation)}


def fine_tune_linear(
    experiment: Experiment,
    tasks: list[Task],
    num_rows: int,
    seed: int,
    folder: Path | None,
    pretrained: bool,
) -> Outputs:
    """Fine-tune a linear head on the pretrained model or its random twin, which shows what
    pretraining is worth."""
    [task] = tasks
    train = experiment.rows[task.name].train
    encoded = experiment.encoded["inputs"][task.name]
    drawn = draw_rows(len(train), num_rows, seed)
    # The inputs hold all rows in one order, then all of them in the other.
    starts = range(0, len(encoded.train.ids), len(train))
    examples = Examples(
        inputs=[encoded.train.ids[start + row] for start in starts for row in drawn],
        targets_N=np.array([task.target(train[row]) for row in drawn] * len(task.orders)),
        validation=encoded.validation.ids,
    )
    torch.manual_seed(seed)
    settings = experiment.settings
    reader = experiment.reader
    num_layers = None if settings.transferred_layers == "all" else settings.transferred_layers
    device = experiment.device
    head = LinearHead(reader, task, pretrained, device, settings.both_ways, num_layers)
    head.fine_tune(examples, settings, seed)
    if folder:
        with whole_folder(folder) as unfinished:
            head.save(unfinished)
    return {task.name: head.predict(examples.validation)}


def fine_tune_language(
    experiment: Experiment, tasks: list[Task], num_rows: int, seed: int, folder: Path | None
) -> Outputs:
    """Fine-tune one model to go on with the label's word after the prompts of these tasks."""
    prompted: list[PromptedTask] = []
    num_steps = 0
    for task in tasks:
        train = experiment.rows[task.name].train
        encoded = experiment.encoded["prompts"][task.name]
        drawn = draw_rows(len(train), num_rows, seed)
        prompted.append(
            PromptedTask(
                task=task,
                words=experiment.reader.encode_words(task),
                prompts=[encoded.train.ids[row] for row in drawn],
                right_words=[task.degree(train[row]) for row in drawn],
                validation=encoded.validation.ids,
            )
        )
        num_steps += count_steps(task, len(drawn), experiment.settings)
    torch.manual_seed(seed)
    settings = experiment.settings
    head = LanguageHead(experiment.reader, experiment.device, settings.both_ways)
    head.fine_tune(prompted, settings, seed, num_steps)
    if folder:
        with whole_folder(folder) as unfinished:
            head.save(unfinished, max(len(word) for each in prompted for word in each.words))
    return {each.task.name: head.predict(each) for each in prompted}


RANDOM_TWIN = Arm(
    "random", "random twin", partial(fine_tune_linear, pretrained=False), "linear", has_curve=True
)
PRETRAINED = Arm(
    "pretrained", "pretrained", partial(fine_tune_linear, pretrained=True), "linear", has_curve=True
)
ARMS = {
    arm.name: arm
    for arm in (
        Arm("majority", "majority label", partial(apply_baseline, predict_majority)),
        Arm("tfidf", "TF-IDF + linear SVM", partial(apply_baseline, predict_tfidf), has_curve=True),
        RANDOM_TWIN,
        PRETRAINED,
        Arm("language", "pretrained, language head", fine_tune_language, "language"),
        Arm("joint", "one model for all tasks", fine_tune_language, "joint", is_joint=True),
    )
}
"""In the order of the table, in which each is compared with those before it."""


def choose_arms(settings: KlueSettings) -> list[Arm]:
    """Return the baselines and the arms of the heads that are wanted."""
    has_baselines = settings.baselines
    wanted = [
        arm
        for arm in ARMS.values()
        if (has_baselines if arm.is_baseline else arm.head in settings.head)
    ]
    return [arm for arm in wanted if settings.control or arm is not RANDOM_TWIN]
