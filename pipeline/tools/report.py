"""`make report`: every stage's figures on one page; with OUT=folder the compact tables of
pipeline/RESULTS.md, too. Figures are read from the artifacts and never computed again."""

from corpora.errors import require
from pipeline import cli_options
from pipeline.artifacts.store import find_linked
from pipeline.launch import read_preset
from pipeline.stages.stage import STAGES

PAGES = {"klue": "table.md", "prompt": "table.md", "tokenizer": "report.md", "corpus": "report.md"}
"""The page of each stage that has one, in the order in which they are shown."""


def report(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    out: cli_options.Out = None,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Every stage's figures as one Markdown page; with OUT=folder compact tables, too."""
    from pipeline.reports.render import write_page
    from pipeline.reports.results import find_mismatches, write_results

    typed = read_preset(preset, overrides)
    here = artifacts / typed.name
    found = {
        stage: find_linked(artifacts, typed.name, stage)
        for stage in STAGES
        if (here / stage).exists()
    }
    require(
        found,
        f"{here}: no stage is built there. Run `make klue-eval PRESET={preset}` first, or name "
        "another preset.",
    )
    pages = [
        (found[stage].path / file).read_text(encoding="utf-8").strip()
        for stage, file in PAGES.items()
        if stage in found
    ]
    path = (out or here) / "report.md"
    write_page(
        path,
        "report",
        preset=typed.name,
        folder=here,
        found=found,
        mismatches=find_mismatches(found),
        pages=pages,
    )
    print(path.read_text(encoding="utf-8") + f"\nreport: {path}")
    if out is not None:
        tokenizer_report = here / "tokenizer_report" / "report.json"
        write_results(out / "results.md", preset, typed, found, tokenizer_report)
        print(f"report: {out / 'results.md'}")
