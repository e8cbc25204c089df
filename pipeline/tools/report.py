"""`make report`: every stage's figures as one Markdown page, read from the manifests and never computed again."""
from pipeline import artifact
from pipeline.stages import STAGES


def run(arguments, preset) -> None:
    found = {name: artifact.linked(arguments.artifacts, preset.name, name) for name in STAGES
             if (arguments.artifacts / preset.name / name).exists()}
    pages = [(found[name].path / file).read_text(encoding="utf-8").strip()
             for name, file in (("klue", "table.md"), ("tokenizer", "report.md"), ("corpus", "report.md")) if name in found]
    path = arguments.artifacts / preset.name / "report.md"
    artifact.write_card(path, "report", preset=preset.name, found=found, pages=pages)
    print(path.read_text(encoding="utf-8") + f"\nreport: {path}")
