"""The KLUE stage: fine-tunes and scores a model on each task, beside its random twin and two
baselines.

Every finished run leaves its predictions on disk; all figures are computed from those files, so a
stopped stage goes on from there."""

from functools import partial
from pathlib import Path
from typing import Any

from corpora.paths import find_path
from corpora.tasks.rows import is_sample
from corpora.tasks.task import HUB_NAME, HUB_REVISION, TASKS
from pipeline.artifacts.files import write_json
from pipeline.artifacts.manifest import SCRATCH
from pipeline.evaluation.noise import NOISES
from pipeline.executors import Context, map_shards
from pipeline.models.folder import model_folder
from pipeline.reports.plots import plot_learning
from pipeline.reports.render import write_page
from pipeline.settings import KlueSettings
from pipeline.stages.klue.arms import ARMS, RANDOM_TWIN, choose_arms
from pipeline.stages.klue.experiment import open_experiment
from pipeline.stages.klue.runs import Runs, list_runs, make_run
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
    runs = make_runs(settings, model, folder, context)
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
        titles = {name: arm.title for name, arm in ARMS.items()}
        plot_learning(folder / "learning_curve.png", curves, titles)
    counts: dict[str, Any] = {}
    for name, result in results.items():
        means = {arm: figures["mean"] for arm, figures in result["arms"].items()}
        counts[name] = {"rows": result["rows"], **means}
    return counts


def make_runs(settings: KlueSettings, model: Path, folder: Path, context: Context) -> Runs:
    """Make all runs that aren't in the folder yet, by whoever the context says."""
    # Absolute paths, because Ray's processes stand in another folder.
    if settings.data not in ("sample", "hub"):
        data = find_path(settings.data).absolute()
        settings = settings.model_copy(update={"data": str(data)})
    model = model.absolute()
    chosen = settings.model_dump_json()
    open_experiment.cache_clear()  # its files may have changed since
    experiment = open_experiment(chosen, model, context.device)
    make = partial(
        make_run,
        settings=chosen,
        model=model,
        folder=folder.absolute(),
        device=context.device,
        threads=context.threads,
    )
    items = {run.name: run for run in list_runs(settings, experiment.rows)}
    map_shards(make, items, folder / SCRATCH / "runs", context, "klue: runs")
    return Runs(experiment, folder)


def write_pages(folder: Path, metrics: dict[str, Any]) -> None:
    """Write table.md and classes.md from what stands in metrics.json."""
    values = {"metrics": metrics, "tasks": TASKS, "arms": ARMS}
    write_page(folder / "table.md", "klue_table", **values, noises=list(NOISES))
    write_page(folder / "classes.md", "klue_classes", **values)
