"""Figures: what they hold for short runs, and that their bytes depend on the values alone."""

import pytest

from corpora.tasks.task import TASKS
from pipeline.reports.plots import plot_bars, plot_curves, plot_learning

PNG = b"\x89PNG"
LINES = [{"step": 10 * number, "loss": 5.0 - number, "learning_rate": 0.1} for number in range(4)]


@pytest.mark.parametrize("lines", [LINES, LINES[:1], []])
def test_a_short_runs_curves_are_drawn_without_a_warning(tmp_path, lines):
    """Some panels have no points yet. Warnings are errors here."""
    plot_curves(tmp_path / "curves.png", lines)
    assert (tmp_path / "curves.png").read_bytes().startswith(PNG)


def test_equal_values_give_equal_bytes(tmp_path):
    for name in ("one.png", "two.png"):
        plot_curves(tmp_path / name, LINES)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_bars_of_series_with_awkward_names_are_drawn(tmp_path):
    heights = {"costs $1 and $2": {"a": 1.0, "b": 2.0}, "한국어": {"b": 1.5}}
    plot_bars(tmp_path / "bars.png", heights, "Tokens per eojeol")
    assert (tmp_path / "bars.png").read_bytes().startswith(PNG)


def test_a_learning_curve_has_gaps_where_a_score_is_not_defined(tmp_path):
    task = TASKS["sts"]
    figures = {
        100: {"mean": {task.primary: 50.0}, "sd": {task.primary: 2.0}},
        300: {"mean": {task.primary: None}, "sd": {task.primary: None}},
    }
    plot_learning(tmp_path / "curve.png", [(task, {"tfidf": figures})], {"tfidf": "TF-IDF"})
    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)
