"""`make report`: every stage's figures as one page, read from the artifacts and never computed
again."""

from pipeline.artifacts.store import find_linked
from pipeline.launch import read_preset
from pipeline.options import IN_ARTIFACTS, Artifacts, Overrides, PresetName
from pipeline.stages.stage import STAGES

PAGES = {"klue": "table.md", "prompt": "table.md", "tokenizer": "report.md", "corpus": "report.md"}


def report(
    overrides: Overrides = None,
    preset: PresetName = "demo",
    artifacts: Artifacts = IN_ARTIFACTS,
) -> None:
    """Every stage's figures as one Markdown page."""
    from pipeline.reports.render import write_page

    name = read_preset(preset, overrides).name
    here = artifacts / name
    found = {
        stage: find_linked(artifacts, name, stage) for stage in STAGES if (here / stage).exists()
    }
    pages = [
        (here / stage / file).read_text(encoding="utf-8").strip()
        for stage, file in PAGES.items()
        if stage in found
    ]
    path = here / "report.md"
    write_page(path, "report", preset=name, found=found, pages=pages)
    print(path.read_text(encoding="utf-8") + f"\nreport: {path}")
