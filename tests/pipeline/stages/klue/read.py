"""What the stage wrote, as its tests read it."""

import json
from pathlib import Path


def read_metrics(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text("utf-8"))


def read_table(folder: Path) -> str:
    return (folder / "table.md").read_text("utf-8")


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
