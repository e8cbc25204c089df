"""The cards of the fine-tuned models that are kept, and what `make predict` has to know of them."""

import shutil
from typing import Any

from pipeline.artifacts.files import read_json, write_json
from pipeline.evaluation.saved.answers import TASK_FILE
from pipeline.reports.render import write_page
from pipeline.stages.klue.arms import ARMS
from pipeline.stages.klue.runs import Run, Runs, list_runs

CARD = "README.md"
BASE_CARD = "base_model.md"


def write_cards(runs: Runs, metrics: dict[str, Any]) -> None:
    """Write the card, the base model's card and TASK_FILE into every kept model's folder."""
    settings = runs.experiment.settings
    for run in list_runs(settings, runs.experiment.rows):
        if run.is_kept(settings):
            write_card(run, runs, metrics)


def write_card(run: Run, runs: Runs, metrics: dict[str, Any]) -> None:
    """Write what belongs into one kept model's folder beside its weights."""
    folder = runs.folder / run.model
    reader = runs.experiment.reader
    settings = runs.experiment.settings
    base_card = reader.folder / CARD
    if base_card.is_file():
        shutil.copyfile(base_card, folder / BASE_CARD)
    arm = ARMS[run.arm]
    tasks = [runs.experiment.rows[name].task for name in run.tasks]
    config = read_json(folder / "config.json")
    write_page(
        folder / CARD,
        "classifier",
        title=arm.title,
        arm=arm.name,
        head=arm.head,
        seed=run.seed,
        num_seeds=settings.seeds,
        tasks=tasks,
        results=metrics["tasks"],
        sample=metrics["sample"],
        settings=settings,
        max_length=reader.max_length,
        model_type=reader.config.model_type,
        is_causal=reader.is_causal,
        has_base_card=base_card.is_file(),
        base=settings.model or "this project's",
        scale=config.get("score_scale"),
        data=metrics.get("hub", "the sample" if metrics["sample"] else "a folder of KLUE's rows"),
    )
    asked = [task.model_dump(mode="json", exclude={"folder"}) for task in tasks]
    write_json(folder / TASK_FILE, {"head": arm.head, "tasks": asked})
