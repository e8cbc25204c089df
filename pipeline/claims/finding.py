"""What measuring a claim leaves: curves of scores with their intervals, a panel a task, and what
they say of the claim. As JSON for other pages, as a page, and as a figure."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from corpora.tasks.task import Task
from pipeline.artifacts.files import write_json
from pipeline.evaluation.bootstrap import interval, resample
from pipeline.evaluation.metrics import decide, primary_metric, score_is_defined
from pipeline.reports.plots import plot_panels
from pipeline.reports.render import write_page

Interval = tuple[float, float]
Verdict = Literal["yes", "no", "not shown"]


class Found(BaseModel):
    """A part of what is found; it never changes."""

    model_config = ConfigDict(frozen=True)


class Point(Found):
    """The primary metric, times 100, somewhere on the axis; None where it isn't defined."""

    at: int | str
    score: float | None
    interval: Interval | None  # 95 %, by the bootstrap over the rows
    runs: int  # seeds, or prompts and draws of shots, whose mean it is


class Curve(Found):
    """Points of one kind of model."""

    name: str
    points: list[Point]


class Panel(Found):
    """One task's curves."""

    task: str
    metric: str
    curves: list[Curve]
    level: float | None = None  # what always saying the commonest label scores


class Difference(Found):
    """How much better one of two is on a task, and whether it is: yes or no where the interval
    leaves out 0."""

    task: str
    what: str
    points: float | None
    interval: Interval | None  # 95 %, paired
    verdict: Verdict


class Measured(Found):
    """A claim, and what was found."""

    name: str
    claim: str
    source: str
    axis: str
    is_logarithmic: bool = False
    panels: list[Panel]
    differences: list[Difference]
    remark: str = ""


class Figure(NamedTuple):
    """A score, or how far one is above another, times 100; and so in each resample (R,), as a
    share."""

    points: float
    resampled: np.ndarray


def subtract(one: Figure | None, other: Figure | None) -> Figure | None:
    """How far one is above the other; None where either isn't defined."""
    if one is None or other is None:
        return None
    return Figure(one.points - other.points, one.resampled - other.resampled)


def as_difference(task: Task, what: str, figure: Figure | None) -> Difference:
    """What a difference says of a task."""
    bounds = as_interval(interval(figure.resampled)) if figure else None
    return Difference(
        task=task.title,
        what=what,
        points=figure and figure.points,
        interval=bounds,
        verdict=verdict_of(bounds),
    )


class Scored:
    """Outputs for the same rows, one a run, and their mean score, which is None where that of a run
    isn't defined."""

    def __init__(self, task: Task, gold_N: np.ndarray, outputs: list[np.ndarray]) -> None:
        """`outputs` are predictions (N,) or scores (N, C)."""
        self.task = task
        self.gold_N = gold_N
        self.num_runs = len(outputs)
        self.figure: Figure | None = None
        predictions = [decide(output) for output in outputs]
        resampled = resample(task, gold_N, outputs)
        is_defined = all(score_is_defined(task, gold_N, each_N) for each_N in predictions)
        if is_defined and resampled is not None:
            scores = [primary_metric(task, gold_N, predicted_N) for predicted_N in predictions]
            self.figure = Figure(100 * float(np.mean(scores)), resampled)

    def at(self, place: int | str) -> Point:
        """The point that it is on an axis."""
        figure = self.figure
        bounds = as_interval(interval(figure.resampled)) if figure else None
        score = figure and figure.points
        return Point(at=place, score=score, interval=bounds, runs=self.num_runs)

    def less(self, other: "Scored", what: str) -> Difference:
        """How much better it is than another."""
        return as_difference(self.task, what, subtract(self.figure, other.figure))

    def panel(self, curves: list[Curve], has_level: bool = False) -> Panel:
        """The panel of its task, with a line for the commonest label if that is wanted."""
        task = self.task
        level = None
        if has_level and not task.regression:
            commonest = np.bincount(self.gold_N).argmax()
            constant_N = np.full(len(self.gold_N), commonest)
            level = 100 * primary_metric(task, self.gold_N, constant_N)
        metric = task.headings[task.primary]
        return Panel(task=task.title, metric=metric, curves=curves, level=level)


def as_interval(bounds: list[float] | None) -> Interval | None:
    """Both bounds, or None."""
    return (bounds[0], bounds[1]) if bounds else None


def verdict_of(bounds: Interval | None) -> Verdict:
    """What an interval of a difference says."""
    if bounds is None or bounds[0] <= 0 <= bounds[1]:
        return "not shown"
    return "yes" if bounds[0] > 0 else "no"


def write_measured(folder: Path, measured: Measured, about: dict[str, Any]) -> Path:
    """Write NAME.json, NAME.png and NAME.md, and return the last one's path; `about` says what it
    was measured with."""
    write_json(folder / f"{measured.name}.json", measured.model_dump(mode="json") | about)
    plot_panels(
        folder / f"{measured.name}.png",
        [panel.model_dump() for panel in measured.panels],
        measured.axis,
        measured.is_logarithmic,
    )
    page = folder / f"{measured.name}.md"
    write_page(page, "claim", measured=measured, **about)
    return page
