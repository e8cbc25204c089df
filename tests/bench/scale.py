"""The whole corpus stage on the text and on ten times the text: time, the maps' memory, the
reduce's memory a document.

The ten copies are the same documents with the words of each permuted by the copy's own seed, so
that copies are no duplicates of each other while sizes and vocabulary stay; every file is a shard
in both runs.
"""

import json
import random
import sys
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow

from corpora.errors import require
from corpora.recipe import load_recipe
from corpora.sources.shards import source_files
from corpora.sources.streams import open_stream
from tests.bench.child import running

COPIES = 10


class Run(NamedTuple):
    """What the stage said of one run."""

    report: dict[str, Any]
    seconds: float


def permute(text: str, rng: random.Random) -> str:
    """The text's words in another order, as many of them on each line as before."""
    words = text.split()
    rng.shuffle(words)
    rest = iter(words)
    return "\n".join(" ".join(islice(rest, len(line.split()))) for line in text.split("\n"))


def recipe_files(data: Path) -> list[Path]:
    """The text that the recipe reads."""
    sources = load_recipe("local").source
    return sorted({path for source in sources for path, _ in source_files(source, data)})


def make_copies(data: Path, out: Path) -> None:
    """Write out/1 and out/10: the JSON lines once and ten times, permuted, zstd-compressed."""
    for path in recipe_files(data):
        for copy in range(COPIES):
            folders = [out / str(COPIES) / "corpus"]
            if copy == 0:
                folders.append(out / "1" / "corpus")
            name = path.name.replace("-", f"-{copy}", 1)
            targets = [folder / name for folder in folders]
            if not all(target.exists() for target in targets):
                make_copy(path, targets, random.Random(f"{copy} {path.name}"))


def make_copy(path: Path, targets: list[Path], rng: random.Random) -> None:
    """Write one permuted copy of a file to each of the targets."""
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
    temporary = [target.with_name(target.name + ".tmp") for target in targets]
    files = [pyarrow.CompressedOutputStream(str(each), "zstd") for each in temporary]
    with open_stream(path) as lines:
        for line in lines:
            row = json.loads(line)
            row["text"] = permute(row["text"], rng)
            for file in files:
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    for file in files:
        file.close()
    for each, target in zip(temporary, targets):
        each.rename(target)


def run_stage(folder: Path) -> Run:
    """Make the corpus of a folder's text with the command that users type."""
    artifacts = folder / "artifacts"
    where = ["--data", folder, "--artifacts", artifacts]
    what = ["--preset", "laptop", "--recipe", "local"]
    with running([sys.executable, "-m", "pipeline", "corpus", *what, *where]) as process:
        require(process.wait() == 0, f"scale: the corpus of {folder} failed.")
    report, manifest = (
        json.loads((artifacts / "laptop" / "corpus" / name).read_text(encoding="utf-8"))
        for name in ("report.json", "manifest.json")
    )
    return Run(report, manifest["seconds"])


def bench(data: Path, out: Path) -> None:
    """Print the stage's time and memory on the text under `data` and on ten times as much.

    The copies, 6 GB, and the artifacts are written under `out`.
    """
    make_copies(data, out)
    folders = [out / "1", out / str(COPIES)]
    for folder in folders:
        link = folder / "klue"
        if not link.is_symlink():
            link.symlink_to((data / "klue").absolute())
    small, large = (run_stage(folder) for folder in folders)
    show(small, large)


def show(small: Run, large: Run) -> None:
    """Print both runs beside each other."""
    megabytes = [run.report["bytes"] / 1e6 for run in (small, large)]
    documents = [run.report["documents"] for run in (small, large)]
    print(
        f"text: {megabytes[0]:,.0f} and {megabytes[1]:,.0f} MB, {documents[0]:,} and "
        f"{documents[1]:,} documents"
    )
    factor = large.seconds / small.seconds
    print(f"time: {small.seconds:,.0f} and {large.seconds:,.0f} s, a factor of {factor:.2f}")
    for step in ("clean", "write"):
        before, after = (run.report["steps"][step]["peak_memory_mb"] for run in (small, large))
        print(f"{step}: largest process {before} and {after} MB ({after / before - 1:+.1%})")
    before, after = (run.report["steps"]["reduce"] for run in (small, large))
    more_bytes = (after["peak_memory_mb"] - before["peak_memory_mb"]) * 1048576
    more_documents = after["documents"] - before["documents"]
    print(
        f"reduce: {before['peak_memory_mb']} and {after['peak_memory_mb']} MB for "
        f"{before['documents']:,} and {after['documents']:,} documents: "
        f"{more_bytes / more_documents:.1f} bytes a document; {before['seconds']:.1f} and "
        f"{after['seconds']:.1f} s"
    )
