"""Figures as PNG files whose bytes depend on the values alone."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from corpora.tasks.task import Task
from pipeline.artifacts.files import publish

CURVE_PANELS = (
    ("loss", "validation_loss"),
    ("bits_per_byte",),
    ("learning_rate", "matrix_learning_rate"),
    ("gradient_norm",),
    ("tokens_per_second",),
    ("memory_mb",),
)
"""The metrics of a training run that share a panel."""
NUM_DOTTED = 30  # curves of fewer points show each of them


def plot_bars(path: Path, values: dict[str, dict[str, float]], title: str) -> None:
    """Draw grouped bars.

    `values` are {series, named in the legend: {group: height}}.
    """
    groups = list(dict.fromkeys(group for heights in values.values() for group in heights))
    size = (max(6, 0.9 * len(groups)), 4 + 0.25 * len(values))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(values)
    bars = []
    for number, heights in enumerate(values.values()):
        offset = (number - (len(values) - 1) / 2) * width
        places = [groups.index(group) + offset for group in heights]
        bars.append(axes.bar(places, list(heights.values()), width))
    axes.set_xticks(range(len(groups)), groups, rotation=20, ha="right")
    axes.set_title(title)
    axes.grid(axis="y", alpha=0.3)
    # matplotlib's own font has no Hangul, and a dollar sign would begin a formula.
    names = [
        name.replace("$", r"\$") if name.isascii() else f"row {row} of the table"
        for row, name in enumerate(values, start=1)
    ]
    figure.legend(bars, names, loc="outside lower center")
    save(figure, path)


def plot_curves(path: Path, lines: list[dict[str, Any]]) -> None:
    """Draw a training run's metrics over its steps, from its JSON lines."""
    figure = Figure(figsize=(14, 7), layout="constrained")
    for names, axes in zip(CURVE_PANELS, figure.subplots(2, 3).flat):
        for name in names:
            shown = [line for line in lines if isinstance(line.get(name), int | float)]
            if shown:
                steps = [line["step"] for line in shown]
                values = [line[name] for line in shown]
                marker = "." if len(shown) < NUM_DOTTED else None
                axes.plot(steps, values, marker=marker, label=name.replace("_", " "))
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        if axes.has_data():
            axes.legend()
    save(figure, path)


def plot_learning(
    path: Path,
    curves: list[tuple[Task, dict[str, dict[int, dict[str, Any]]]]],
    titles: dict[str, str],
) -> None:
    """Draw scores over the number of labelled rows, a panel a task.

    `curves` are (task, {arm: {rows: {"mean": {metric: score}, "sd": {metric: spread}}}}), `titles`
    the arms' names.
    """
    figure = Figure(figsize=(5 * len(curves), 4), layout="constrained")
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for (task, arms), axes in zip(curves, panels):
        for arm, found in arms.items():
            # What isn't defined leaves a gap; one seed has no spread.
            means, spreads = (
                np.array([figures[kind][task.primary] for figures in found.values()], dtype=float)
                for kind in ("mean", "sd")
            )
            spreads = np.nan_to_num(spreads)
            axes.errorbar([*found], means, spreads, marker=".", capsize=3, label=titles[arm])
        heading = f"{task.title} {task.headings[task.primary]}"
        axes.set(xscale="log", xlabel="labelled rows", title=heading)
        axes.grid(alpha=0.3)
        axes.legend()
    save(figure, path)


def plot_panels(path: Path, panels: list[dict[str, Any]], axis: str, is_logarithmic: bool) -> None:
    """Draw curves of scores with their intervals, a panel a task.

    `panels` are those of claims/finding.py: {"task", "metric", "level", "curves": [{"name",
    "points": [{"at", "score", "interval"}]}]}. Points at names, not numbers, aren't joined.
    """
    figure = Figure(figsize=(5 * len(panels), 4.5), layout="constrained")
    places = figure.subplots(1, len(panels), squeeze=False)[0]
    for number, (panel, axes) in enumerate(zip(panels, places), start=1):
        for curve in panel["curves"]:
            points = [point for point in curve["points"] if point["score"] is not None]
            scores = np.array([point["score"] for point in points])
            bounds = [point["interval"] or (point["score"],) * 2 for point in points]
            # A mean of several runs may lie outside of what the resamples say.
            low_N, high_N = np.array(bounds).reshape(-1, 2).T
            bars = np.stack([scores - low_N, high_N - scores]).clip(min=0)
            at = [point["at"] for point in points]
            is_joined = not any(isinstance(place, str) for place in at)
            line = "-" if is_joined else "none"
            axes.errorbar(
                at, scores, bars, marker=".", capsize=3, linestyle=line, label=curve["name"]
            )
        if panel["level"] is not None:
            axes.axhline(panel["level"], color="0.5", linestyle=":", label="commonest label")
        # matplotlib's own font has no Hangul.
        name = panel["task"] if panel["task"].isascii() else f"task {number}"
        axes.set(xlabel=axis, title=f"{name} {panel['metric']}")
        axes.tick_params("x", rotation=20)
        if is_logarithmic:
            axes.set_xscale("log")
        axes.grid(alpha=0.3)
        axes.legend()
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all; the library's version isn't recorded in it."""
    temporary = path.with_name(path.name + ".tmp")
    figure.savefig(temporary, format="png", dpi=120, metadata={"Software": None})
    publish(temporary, path)
