"""The KLUE stage: fine-tunes and scores a model on each task, beside its random twin and two
baselines.

Every finished run leaves its predictions on disk; all figures are computed from those files, so a
stopped stage goes on from there."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from corpora.paths import find_path
from corpora.tasks.rows import is_sample
from corpora.tasks.task import (
    HUB_NAME,
    HUB_REVISION,
    TASKS,
    Task,
    describe_own,
    task_file,
)
from pipeline.artifacts.files import write_json
from pipeline.artifacts.manifest import SCRATCH
from pipeline.evaluation.metrics import degrees
from pipeline.evaluation.noise import NOISES
from pipeline.evaluation_settings import KlueSettings
from pipeline.executors import Context, map_shards
from pipeline.models.folder import model_folder
from pipeline.reports.plots import plot_learning
from pipeline.reports.render import write_page
from pipeline.stages.klue.arms import ARMS, RANDOM_TWIN, choose_arms
from pipeline.stages.klue.cards import write_cards
from pipeline.stages.klue.experiment import open_experiment
from pipeline.stages.klue.runs import Run, Runs, list_runs, make_run
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
    model = model_folder(settings.model) if settings.model else inputs["pretrain"]
    runs = make_runs(settings, model, folder, context)
    tasks = {name: rows.task for name, rows in runs.experiment.rows.items()}
    results = {name: summarise_task(task, runs) for name, task in tasks.items()}
    lacking: list[str] = []  # for the figures to be more than preliminary
    if settings.seeds < ENOUGH_SEEDS:
        lacking.append(f"{settings.seeds} seed{'' if settings.seeds == 1 else 's'}")
    if RANDOM_TWIN not in choose_arms(settings):
        lacking.append("no random twin")
    if not settings.baselines:
        lacking.append("no baselines")
    metrics = {
        "model": settings.model or "this model",
        "sample": is_sample(settings.data) and not all(task.is_own for task in tasks.values()),
        "lacking": lacking,
        "settings": settings.model_dump(mode="json"),
        "tasks": results,
        "own_tasks": describe_own(tasks),
    }
    if settings.data == "hub":
        metrics["hub"] = f"{HUB_NAME}@{HUB_REVISION}"
    write_json(folder / "metrics.json", metrics)
    write_pages(folder, metrics, tasks)
    write_cards(runs, metrics)
    if settings.curve:
        curves = [(task, results[name]["curve"]) for name, task in tasks.items()]
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
    own = [name if name in TASKS else str(task_file(name).absolute()) for name in settings.tasks]
    settings = settings.model_copy(update={"tasks": tuple(own)})
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
    announce_models(items.values(), settings, model, folder)
    map_shards(make, items, folder / SCRATCH / "runs", context, "klue: runs")
    return Runs(experiment, folder)


def announce_models(runs: Iterable[Run], settings: KlueSettings, model: Path, folder: Path) -> None:
    """Say what disk the models will take that are to be kept."""
    num_kept = sum(run.is_kept(settings) for run in runs)
    size_mb = sum(path.stat().st_size for path in model.glob("*.safetensors")) / 1e6
    if num_kept:
        print(
            f"klue: keeps {num_kept} fine-tuned models, some {num_kept * size_mb:,.0f} MB "
            "(klue.keep_models: first, all or none)",
            flush=True,
        )


def write_pages(folder: Path, metrics: dict[str, Any], tasks: dict[str, Task]) -> None:
    """Write table.md and classes.md from what stands in metrics.json."""
    values = {"metrics": metrics, "tasks": tasks, "arms": ARMS}
    has_klue = any(name in TASKS for name in tasks)
    table = folder / "table.md"
    write_page(table, "klue_table", **values, noises=list(NOISES), has_klue=has_klue)
    shown = {name: [f"{degree:g}" for degree in degrees(task)] for name, task in tasks.items()}
    write_page(folder / "classes.md", "klue_classes", **values, degrees=shown)
