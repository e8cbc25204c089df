"""The report on tokenizers as files: for programs, for people, and as a plot."""

from pathlib import Path

from pipeline.artifacts.files import write_json
from pipeline.reports.plots import plot_bars
from pipeline.reports.render import write_page
from tokenizer.quality.report import Report


def write_tokenizer_report(folder: Path, reports: list[Report]) -> None:
    """Write report.json, report.md and report.png: one or several tokenizers on the same text."""
    write_json(folder / "report.json", reports)
    write_page(folder / "report.md", "tokenizer_report", reports=reports)
    bars = {
        report["name"]: {
            kind: figures["tokens_per_eojeol"] for kind, figures in report["kinds"].items()
        }
        for report in reports
    }
    plot_bars(folder / "report.png", bars, "Tokens per eojeol")
