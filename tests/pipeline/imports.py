"""What a command imports: an up-to-date stage is quick because it needs none of the large
libraries."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import make_environment

LARGE = {
    "torch",
    "transformers",
    "datasets",
    "numpy",
    "pyarrow",
    "sentencepiece",
    "tqdm",
    "konlpy",
}


def run_and_list_imports(*arguments: str | Path, folder: Path) -> tuple[str, set[str]]:
    """Run a command in a process of its own; return what it printed and what it imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipeline", *map(str, arguments)],
        cwd=folder,
        env=make_environment(),
        text=True,
        capture_output=True,
        check=True,
    )
    lines = done.stderr.splitlines()
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "json" in imported
    return done.stdout, imported
