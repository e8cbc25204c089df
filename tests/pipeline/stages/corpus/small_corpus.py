"""A corpus of two small sources, and what the tests of the corpus stage do with it."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet

from pipeline.executors import Context
from pipeline.settings import CorpusSettings
from pipeline.stages import corpus

RECIPE = """title = "Two sources"
description = "Made for a test."
validation_share = 0.1
bands = 0
[[source]]
name = "a"
kind = "files"
licence = "mine"
paths = ["a*.jsonl"]
clean = ["whitespace"]
min_chars = 5
max_bad_share = 0.05
[[source]]
name = "b"
kind = "files"
licence = "mine"
paths = ["b.txt"]
unit = "line"
"""


def run(data: Path, name: str = "out", recipe: str = "", **engine: Any) -> tuple[Path, dict]:
    """Make the corpus of the recipe beside the data; return its folder and its counts."""
    folder = data.parent / name
    folder.mkdir(exist_ok=True)
    settings = CorpusSettings(recipe=recipe or str(data.parent / "recipe.toml"))
    return folder, corpus.run(settings, {}, folder, Context(data=data, **engine))


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a corpus but its work and its reports, which hold timings."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "scratch" not in path.parts and not path.name.startswith("report.")
    }


def read_rows(folder: Path, split: str) -> list[dict[str, Any]]:
    """The rows of train, validation, rejects or clusters."""
    return [
        row
        for path in sorted((folder / split).glob("*.parquet"))
        for row in pyarrow.parquet.read_table(path).to_pylist()
    ]
