"""Figures as PNG files whose bytes depend on the values alone."""
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pipeline.artifacts.files import publish


def plot_bars(path: Path, values: dict[str, dict[str, float]], title: str) -> None:
    """Grouped bars, as bytes that depend on the values alone: {series, named in the legend: {group: height}}."""
    groups = list(dict.fromkeys(group for heights in values.values() for group in heights))
    figure = Figure(figsize=(max(6, 0.9 * len(groups)), 4 + 0.25 * len(values)), layout="constrained")
    axes = figure.subplots()
    width, bars = 0.8 / len(values), []
    for number, heights in enumerate(values.values()):
        places = [groups.index(group) + (number - (len(values) - 1) / 2) * width for group in heights]
        bars.append(axes.bar(places, heights.values(), width))
    axes.set_xticks(range(len(groups)), groups, rotation=20, ha="right")
    axes.set_title(title)
    axes.grid(axis="y", alpha=0.3)
    # matplotlib's own font has no Hangul, and a dollar sign would begin a formula.
    names = [name.replace("$", r"\$") if name.isascii() else f"row {row} of the table"
             for row, name in enumerate(values, start=1)]
    figure.legend(bars, names, loc="outside lower center")
    save(figure, path)


def plot_curves(path: Path, lines: list[dict]) -> None:
    """A training run's metrics over its steps, from its JSON lines."""
    panels = (("loss", "validation_loss"), ("bits_per_byte",), ("learning_rate", "matrix_learning_rate"),
              ("gradient_norm",), ("tokens_per_second",), ("mfu",))
    figure = Figure(figsize=(14, 7), layout="constrained")
    for names, axes in zip(panels, figure.subplots(2, 3).flat):
        for name in names:
            if points := [(line["step"], line[name]) for line in lines if isinstance(line.get(name), int | float)]:
                axes.plot(*zip(*points), marker="." if len(points) < 30 else None, label=name.replace("_", " "))
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        axes.legend()
    save(figure, path)


def plot_learning(path: Path, curves: list[tuple], titles: dict[str, str]) -> None:
    """Scores over the number of labelled rows, a panel a task: (task, {arm: {rows: figures}})."""
    figure = Figure(figsize=(5 * len(curves), 4), layout="constrained")
    for (task, arms), axes in zip(curves, figure.subplots(1, len(curves), squeeze=False)[0]):
        for arm, found in arms.items():
            # What isn't defined leaves a gap; one seed has no spread.
            means, spreads = (np.array([each[kind][task.primary] for each in found.values()], dtype=float)
                              for kind in ("mean", "sd"))
            axes.errorbar([*found], means, yerr=np.nan_to_num(spreads), marker=".", capsize=3, label=titles[arm])
        axes.set(xscale="log", xlabel="labelled rows", title=f"{task.title} {task.metrics[task.primary]}")
        axes.grid(alpha=0.3)
        axes.legend()
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    temporary = path.with_name(path.name + ".tmp")
    figure.savefig(temporary, format="png", dpi=120, metadata={"Software": None})
    publish(temporary, path)
