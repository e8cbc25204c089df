"""The corpus stage's speed and memory: the first map on one core, beside datatrove's.

python -m tests.bench.corpus FOLDER_OF_DATA FILE OUTPUT     one measurement, as a JSON line
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.child import running

RECIPE = "local"
SOURCE = "kowiki"
FILE = "corpus/kowiki-00.jsonl.zst"
ROUNDS = 3
PEER = Path(__file__).with_name("datatrove_map.py")
NO_PEER = (
    "datatrove: not measured. Make it an environment of its own: python3.11 -m venv "
    "FOLDER/datatrove && FOLDER/datatrove/bin/pip install 'datatrove[processing,io]', then "
    "PEERS=FOLDER."
)
OURS = "this project"


def measure_map(data: Path, file: str, work: Path) -> dict[str, float]:
    """Our first map over one file in this process: read, clean, judge, sign, write Parquet."""
    # Not above: the process that starts the measurements needs none of it.
    from corpora.contamination import load_index
    from corpora.recipe import load_recipe
    from corpora.sources.shards import make_shards
    from pipeline.artifacts.manifest import peak_memory_mb
    from pipeline.stages.corpus.map import clean_shard

    recipe = load_recipe(RECIPE)
    (source,) = (source for source in recipe.source if source.name == SOURCE)
    one_file = source.model_copy(update={"paths": (file,)})
    recipe = recipe.model_copy(update={"source": (one_file,)})
    index, _ = load_index(recipe, data)
    (shard,) = make_shards(recipe, data, hub_parts=lambda source: 0)
    start = time.perf_counter()
    tally = clean_shard(shard, work, recipe, index)
    return {
        "seconds": time.perf_counter() - start,
        "megabytes": tally["bytes"] / 1e6,
        "peak_memory_mb": peak_memory_mb(),
    }


def run_once(command: list[Any]) -> dict[str, float]:
    """A command's last line as JSON, in a process of its own on one core's worth of threads."""
    as_commands_have_it = {"ARROW_DEFAULT_MEMORY_POOL": "jemalloc"}
    environment = os.environ | as_commands_have_it | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with running(command, env=environment, **pipes) as process:
        printed, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"{command[0]} failed:\n{errors[-2000:]}")
    return json.loads(printed.splitlines()[-1])


def bench(data: Path, peers: Path | None) -> None:
    """Print ours and datatrove's map on the same file, in turns.

    `peers` holds datatrove's own environment, in datatrove/.
    """
    commands: dict[str, list[Any]] = {
        OURS: [sys.executable, "-m", "tests.bench.corpus", data, FILE]
    }
    python = peers and (peers / "datatrove" / "bin" / "python").absolute()
    if python and python.exists():
        commands["datatrove"] = [python, PEER, data / FILE]
    else:
        print(NO_PEER)
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            with tempfile.TemporaryDirectory() as folder:
                figures[name].append(run_once([*command, folder]))
    show(figures)


def show(figures: dict[str, list[dict[str, float]]]) -> None:
    """Print speeds, memory and, of two, their ratio."""
    megabytes = figures[OURS][0]["megabytes"]
    print(
        "corpus, first map (read, clean, filter, personal data, signatures, Parquet) on "
        f"{FILE}, {megabytes:.1f} MB, one core:"
    )
    for name, runs in figures.items():
        speeds = [megabytes / run["seconds"] for run in runs]
        memory = max(run["peak_memory_mb"] for run in runs)
        print(
            f"  {name:<14} {statistics.median(speeds):6.2f} MB/s "
            f"({min(speeds):.2f} to {max(speeds):.2f}), {memory:.0f} MB at the peak"
        )
    if len(figures) > 1:
        ours, theirs = figures.values()
        ratios = [their["seconds"] / our["seconds"] for our, their in zip(ours, theirs)]
        print(
            f"  ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) "
            f"over {ROUNDS} turns"
        )


if __name__ == "__main__":
    print(json.dumps(measure_map(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))))
