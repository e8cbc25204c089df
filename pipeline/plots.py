"""Figures as PNG files whose bytes depend on the values alone."""
from pathlib import Path

from pipeline.artifact import replace


def plot_bars(path: Path, values: dict[str, dict[str, float]], title: str) -> None:
    """Grouped bars: `values` maps each series, named in the legend, to {group: height}."""
    from matplotlib.figure import Figure
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
    temporary = path.with_name(path.name + ".tmp")
    figure.savefig(temporary, format="png", dpi=120, metadata={"Software": None})
    replace(temporary, path)
