"""The compact tables of one run: what pipeline/RESULTS.md shows.

Every figure is read from the artifacts' JSON and none is computed again, but for sums of seconds.
How the tables look is in templates/results/.
"""

import json
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from corpora.tasks.task import TASKS
from pipeline.artifacts.store import Artifact
from pipeline.evaluation.noise import NOISES
from pipeline.preset import Preset
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


class Difference(NamedTuple):
    """How much better one arm is than another, on each task."""

    better: str
    worse: str
    bounds: list[list[float] | None]  # of the 95 % interval; None where a score isn't defined


class Seconds(NamedTuple):
    """What an arm's fine-tuning runs took."""

    arm: str
    rows: str
    runs: int
    seconds: float


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
    figures = {}
    for stage, collect in COLLECTORS.items():
        if stage in artifacts:
            figures[stage] = collect(artifacts[stage])
    if "tokenizer" in figures:
        figures["tokenizer"] = add_task_texts(figures["tokenizer"], tokenizer_report)
    plot = find_plot(artifacts)
    if plot is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(plot, path.parent / LEARNING_CURVE)
    write_page(
        path,
        "results/page",
        preset=typed_preset,
        artifacts=artifacts,
        commands=commands,
        figures=figures,
        mismatches=find_mismatches(artifacts),
        plot=plot and plot.name,
        tasks=TASKS,
        noises=list(NOISES),
    )


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


def read_json(path: Path) -> Any:
    """A file of JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def find_plot(artifacts: dict[str, Artifact]) -> Path | None:
    """The plot of the learning curve, if there is one."""
    if "klue" not in artifacts:
        return None
    path = artifacts["klue"].path / LEARNING_CURVE
    return path if path.exists() else None


def collect_corpus(artifact: Artifact) -> dict[str, Any]:
    """What came in, what stayed, and why the rest went."""
    return read_json(artifact.path / "report.json")


def collect_tokenizer(artifact: Artifact) -> dict[str, Any]:
    """The tokenizer's quality on held-out text."""
    return read_json(artifact.path / "report.json")[0]


def add_task_texts(quality: dict[str, Any], path: Path) -> dict[str, Any]:
    """The same on KLUE's texts, too, if the report at `path` is of this tokenizer.

    It is if it has the same figures for the text that both know.
    """
    if not path.exists():
        return quality
    wider = read_json(path)[0]
    agrees = all(wider["kinds"].get(kind) == found for kind, found in quality["kinds"].items())
    return wider if agrees else quality


def collect_pretrain(artifact: Artifact) -> dict[str, Any]:
    """The model and how it was trained."""
    return {"settings": artifact.manifest["settings"], **artifact.manifest["counts"]}


def collect_prompt(artifact: Artifact) -> dict[str, Any]:
    """Scores without a gradient step."""
    return read_json(artifact.path / "metrics.json")


def collect_klue(artifact: Artifact) -> dict[str, Any]:
    """Scores of every arm, their differences, the learning curve, and what each arm took."""
    metrics = read_json(artifact.path / "metrics.json")
    first = next(iter(metrics["tasks"].values()))
    return {
        **metrics,
        "titles": {arm: ARM_TITLES.get(arm, arm) for arm in first["arms"]},
        "differences": list_differences(metrics["tasks"]),
        "curve_sizes": list_curve_sizes(metrics["tasks"]),
        "seconds": sum_seconds(artifact.path / "logs" / "runs.jsonl"),
    }


def list_differences(results: dict[str, Any]) -> list[Difference]:
    """Every pair of arms but the constant one."""
    first = next(iter(results.values()))
    arms = [arm for arm in first["arms"] if arm != "majority"]
    return [
        Difference(
            better, worse, [each["arms"][better]["above"][worse] for each in results.values()]
        )
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


def sum_seconds(log: Path) -> list[Seconds]:
    """What the runs in a log took, by arm; the learning curve's apart."""
    if not log.exists():
        return []
    runs: dict[tuple[str, bool], list[float]] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        run = json.loads(line)
        runs.setdefault((run["arm"], run["rows"] > 0), []).append(run["seconds"])
    return [
        Seconds(arm, "fewer rows" if is_fewer else "all rows", len(seconds), sum(seconds))
        for (arm, is_fewer), seconds in runs.items()
    ]


COLLECTORS = {
    "klue": collect_klue,
    "prompt": collect_prompt,
    "pretrain": collect_pretrain,
    "tokenizer": collect_tokenizer,
    "corpus": collect_corpus,
}
"""In the order of the page."""
