"""The KLUE stage: fine-tunes and scores a model on each task, beside its random twin and two
baselines.

Every finished run leaves its predictions on disk; all figures are computed from those files, so a
stopped stage goes on from there."""

from pathlib import Path
from typing import Any

from corpora.errors import require
from corpora.tasks.rows import is_sample
from corpora.tasks.task import HUB_NAME, HUB_REVISION, TASKS
from pipeline.artifacts.files import write_json
from pipeline.evaluation.inputs import Reader
from pipeline.evaluation.noise import NOISES
from pipeline.executors import Context
from pipeline.models.folder import model_folder
from pipeline.reports.plots import plot_learning
from pipeline.reports.render import write_page
from pipeline.settings import KlueSettings
from pipeline.stages.klue.arms import ARMS, RANDOM_TWIN, choose_arms
from pipeline.stages.klue.experiment import Experiment
from pipeline.stages.klue.rows import read_rows
from pipeline.stages.klue.runs import Runs
from pipeline.stages.klue.summary import summarise_task

ENOUGH_SEEDS = 3


def run(
    settings: KlueSettings, inputs: dict[str, Path], folder: Path, context: Context
) -> dict[str, Any]:
    """Run baselines and heads x seeds on every task, and write predictions, metrics.json and the
    table.

    Returns each task's rows and mean metrics for the manifest. Raises UserError for a model or rows
    that can't be used; before anything is written, unless it is the model's weights.
    """
    tasks = [TASKS[name] for name in settings.tasks]
    model = model_folder(settings.model) if settings.model else inputs["pretrain"]
    reader = Reader(model, settings.max_length)
    require(
        reader.is_causal or (set(settings.head) == {"linear"} and not settings.lm_weight),
        f"{model}: no causal language model, as klue.head={' '.join(settings.head)} with "
        f"klue.lm_weight={settings.lm_weight:g} needs.",
    )
    rows = {task.name: read_rows(task, settings) for task in tasks}
    runs = Runs(Experiment(settings, reader, rows, context.device), folder)
    results = {task.name: summarise_task(task, runs) for task in tasks}
    lacking: list[str] = []  # for the figures to be more than preliminary
    if settings.seeds < ENOUGH_SEEDS:
        lacking.append(f"{settings.seeds} seed{'' if settings.seeds == 1 else 's'}")
    if RANDOM_TWIN not in choose_arms(settings):
        lacking.append("no random twin")
    metrics = {
        "model": settings.model or "this model",
        "sample": is_sample(settings.data),
        "lacking": lacking,
        "settings": settings.model_dump(mode="json"),
        "tasks": results,
    }
    if settings.data == "hub":
        metrics["hub"] = f"{HUB_NAME}@{HUB_REVISION}"
    write_json(folder / "metrics.json", metrics)
    write_pages(folder, metrics)
    if settings.curve:
        curves = [(task, results[task.name]["curve"]) for task in tasks]
        titles = {arm.name: arm.title for arm in ARMS}
        plot_learning(folder / "learning_curve.png", curves, titles)
    counts: dict[str, Any] = {}
    for name, result in results.items():
        means = {arm: figures["mean"] for arm, figures in result["arms"].items()}
        counts[name] = {"rows": result["rows"], **means}
    return counts


def write_pages(folder: Path, metrics: dict[str, Any]) -> None:
    """Write table.md and classes.md from what stands in metrics.json."""
    values = {"metrics": metrics, "tasks": TASKS, "arms": {arm.name: arm for arm in ARMS}}
    write_page(folder / "table.md", "klue_table", **values, noises=list(NOISES))
    write_page(folder / "classes.md", "klue_classes", **values)
