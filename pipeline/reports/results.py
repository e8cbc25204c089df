"""The compact tables of one run: what pipeline/RESULTS.md shows.

Every figure is read from the artifacts' JSON and none is computed again, but for sums of seconds.
How the tables look is in templates/results/.
"""

import json
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

from corpora.tasks.task import TASKS, Task
from pipeline.artifacts.files import read_json
from pipeline.artifacts.store import Artifact
from pipeline.evaluation.noise import NOISES
from pipeline.presets import Preset
from pipeline.reports.commands import make_command
from pipeline.reports.render import write_page

ARM_TITLES = {
    "majority": "majority label",
    "tfidf": "TF-IDF",
    "random": "random twin",
    "pretrained": "linear head",
    "language": "language head",
    "joint": "one model for all tasks",
}
"""In short; the stage's own tables say more."""
LEARNING_CURVE = "learning_curve.png"


def write_results(
    path: Path,
    typed_preset: str,
    preset: Preset,
    artifacts: dict[str, Artifact],
    tokenizer_report: Path,
) -> None:
    """Write the page of results of these artifacts, {stage: artifact, in the stages' order}.

    A plot goes beside it. `tokenizer_report` is what `make tokenizer-report` wrote, if it did.
    """
    commands = {
        stage: make_command(stage, typed_preset, preset, collect_origins(stage, artifacts))
        for stage in artifacts
    }
    has_plot = "klue" in artifacts and (artifacts["klue"].path / LEARNING_CURVE).exists()
    if has_plot:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(artifacts["klue"].path / LEARNING_CURVE, path.parent / LEARNING_CURVE)
    figures = collect_figures(artifacts, tokenizer_report)
    write_page(
        path,
        "results/page",
        preset=typed_preset,
        artifacts=artifacts,
        commands=commands,
        figures=figures,
        mismatches=find_mismatches(artifacts),
        plot=LEARNING_CURVE if has_plot else None,
        tasks=TASKS | own_tasks(figures),
        noises=list(NOISES),
    )


def own_tasks(figures: dict[str, Any]) -> dict[str, Task]:
    """The tasks of one's own that the figures are of, as they were when these were made."""
    return {
        name: Task.from_table(table, f"{stage}'s metrics.json, {name}")
        for stage in ("klue", "prompt")
        for name, table in figures.get(stage, {}).get("own_tasks", {}).items()
    }


def collect_origins(stage: str, artifacts: dict[str, Artifact]) -> dict[str, Artifact]:
    """This stage's artifact and those it was made from, in the stages' order."""
    wanted = {stage}
    for name in reversed(artifacts):
        if name in wanted:
            wanted.update(artifacts[name].manifest["inputs"])
    return {name: artifact for name, artifact in artifacts.items() if name in wanted}


def find_mismatches(artifacts: dict[str, Artifact]) -> list[tuple[str, str]]:
    """Pairs of stages, of which the first was made from another artifact than the second's here."""
    return [
        (stage, upstream)
        for stage, artifact in artifacts.items()
        for upstream, digest in artifact.manifest["inputs"].items()
        if upstream in artifacts and artifacts[upstream].manifest["digest"] != digest
    ]


def collect_figures(artifacts: dict[str, Artifact], tokenizer_report: Path) -> dict[str, Any]:
    """What the page's sections show, {stage: figures}, in their order on the page."""
    figures: dict[str, Any] = {}
    if "klue" in artifacts:
        figures["klue"] = collect_klue(artifacts["klue"].path)
    if "prompt" in artifacts:
        figures["prompt"] = read_json(artifacts["prompt"].path / "metrics.json")
    if "pretrain" in artifacts:
        manifest = artifacts["pretrain"].manifest
        figures["pretrain"] = {"settings": manifest["settings"], **manifest["counts"]}
    if "tokenizer" in artifacts:
        figures["tokenizer"] = collect_tokenizer(artifacts["tokenizer"].path, tokenizer_report)
    if "corpus" in artifacts:
        figures["corpus"] = read_json(artifacts["corpus"].path / "report.json")
    return figures


def collect_tokenizer(folder: Path, tokenizer_report: Path) -> dict[str, Any]:
    """A tokenizer's quality on held-out text, and on KLUE's, too, if `tokenizer_report` is of it.

    It is if it has the same figures for the text that both know.
    """
    quality = read_json(folder / "report.json")[0]
    if not tokenizer_report.exists():
        return quality
    wider = read_json(tokenizer_report)[0]
    agrees = all(wider["kinds"].get(kind) == found for kind, found in quality["kinds"].items())
    return wider if agrees else quality


def collect_klue(folder: Path) -> dict[str, Any]:
    """Scores of every arm, their differences, the learning curve, and what each arm took."""
    metrics = read_json(folder / "metrics.json")
    first = next(iter(metrics["tasks"].values()))
    return {
        **metrics,
        "titles": {arm: ARM_TITLES.get(arm, arm) for arm in first["arms"]},
        "differences": list_differences(metrics["tasks"]),
        "curve_sizes": list_curve_sizes(metrics["tasks"]),
        "seconds": sum_seconds(folder / "logs" / "runs.jsonl"),
    }


def list_differences(results: dict[str, Any]) -> list[dict[str, Any]]:
    """How much better one arm is than another, for every pair but the constant one.

    `bounds` are the 95 % interval on each task; None where a score isn't defined.
    """
    first = next(iter(results.values()))
    arms = [arm for arm in first["arms"] if arm != "majority"]
    return [
        {
            "better": better,
            "worse": worse,
            "bounds": [each["arms"][better]["above"][worse] for each in results.values()],
        }
        for worse, better in combinations(arms, 2)
    ]


def list_curve_sizes(results: dict[str, Any]) -> list[str]:
    """Numbers of rows that a learning curve has below all rows of a task, in order.

    They are texts, as keys of JSON are.
    """
    sizes = {
        size
        for result in results.values()
        for arm in result["curve"].values()
        for size in [*arm][:-1]
    }
    return sorted(sizes, key=int)


def sum_seconds(log: Path) -> list[dict[str, Any]]:
    """What the fine-tuning runs in a log took, by arm; the learning curve's apart."""
    if not log.exists():
        return []
    runs: dict[tuple[str, bool], list[float]] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        run = json.loads(line)
        runs.setdefault((run["arm"], run["rows"] > 0), []).append(run["seconds"])
    return [
        {
            "arm": arm,
            "rows": "fewer rows" if is_fewer else "all rows",
            "runs": len(seconds),
            "seconds": sum(seconds),
        }
        for (arm, is_fewer), seconds in runs.items()
    ]
