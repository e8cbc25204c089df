"""The corpus stage gives the same bytes whoever runs it and however often it was stopped."""

import subprocess
import sys

import pyarrow.parquet
import pytest

from corpora.tasks.task import SPLITS
from pipeline.stages import corpus
from tests.conftest import make_environment, run_pipeline
from tests.pipeline.stages.corpus.small_corpus import digests, read_rows, run

ENGINES = {
    "pool": [{"workers": 2}],
    "array": [{"shard": (2, 3)}, {"shard": (1, 3)}, {"shard": (3, 3)}, {"merge": True}],
}


def test_the_bytes_do_not_depend_on_where_the_data_lies(data):
    one, _ = run(data, "one")
    moved = data.rename(data.parent / "moved")
    two, _ = run(moved, "two")
    assert digests(two) == digests(one)


def test_a_pool_and_the_jobs_of_an_array_give_the_bytes_of_one_process(alike, capsys):
    one, _ = run(alike, "one")
    for name, steps in ENGINES.items():
        for engine in steps[:-1]:
            with pytest.raises(SystemExit):
                run(alike, name, **engine)
            assert "run the same command with MERGE=1" in capsys.readouterr().out
        folder, _ = run(alike, name, **steps[-1])
        assert digests(folder) == digests(one)


@pytest.mark.extras
def test_a_ray_cluster_gives_the_same_bytes(alike, ray_cluster):
    on_ray, _ = run(alike, "ray", ray=True)
    here, _ = run(alike, "one")
    assert digests(on_ray) == digests(here)


@pytest.mark.extras
def test_a_ray_cluster_started_elsewhere_finds_relative_paths(alike, ray_cluster):
    """The cluster's processes stand in another folder than the command."""
    where = ("--recipe", "recipe.toml", "--data", "data")
    found = []
    for engine in ("ray", "pool"):
        how = ("--engine", engine, "--artifacts", engine)
        run_pipeline("corpus", *where, *how, folder=alike.parent)
        (folder,) = (alike.parent / engine / "corpus").iterdir()
        found.append(digests(folder) | {"manifest.json": ""})
    assert found[0] == found[1]


def test_any_number_of_files_gives_the_same_documents(alike):
    """The same rows in one file, in four and in seven, dealt out in turn and in runs."""
    paths = sorted(alike.glob("a*.jsonl"))
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    found = []
    for num_files in (1, 4, 7):
        size = -(-len(lines) // num_files)
        in_turn = [lines[part::num_files] for part in range(num_files)]
        in_runs = [lines[start : start + size] for start in range(0, len(lines), size)]
        for name, parts in (("turn", in_turn), ("runs", in_runs)):
            for path in alike.glob("a*.jsonl"):
                path.unlink()
            for part, rows in enumerate(parts):
                text = "\n".join(rows) + "\n"
                (alike / f"a{part}.jsonl").write_text(text, encoding="utf-8")
            folder, _ = run(alike, f"files-{num_files}-{name}")
            found.append([sorted_texts(folder, split) for split in SPLITS])
    assert all(each == found[0] for each in found)
    texts = [text for split in found[0] for _, text in split]
    assert sum(text.count("낱말119은") for text in texts) == 5


def sorted_texts(folder, split):
    return sorted((row["source"], row["text"]) for row in read_rows(folder, split))


KILLER = """
import os, signal, sys
from pathlib import Path
import corpora.sources.shards
from corpora.errors import UserError
from pipeline.executors import Context
from pipeline.settings import CorpusSettings
from pipeline.stages import corpus
from pipeline.stages.corpus import {module}

corpora.sources.shards.SHARD_BYTES = 1
real = {module}.ParquetFile

class Deadly(real):
    def __exit__(self, *error):
        if self.path.name == "a-00002.parquet":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__exit__(*error)

{module}.ParquetFile = Deadly
if __name__ == "__main__":
    settings = CorpusSettings(recipe="{recipe}")
    try:
        corpus.run(settings, {{}}, Path("{folder}"), Context(data=Path("{data}"), workers=2))
    except UserError as error:
        sys.exit(str(error))
"""


@pytest.mark.parametrize("module, step", [("map", "clean"), ("write", "write")])
def test_a_worker_killed_in_mid_shard_fails_loudly_and_the_rerun_does_the_rest(alike, module, step):
    """Real processes: the worker that ends the third shard's file kills itself before the file has
    its name."""
    expected, _ = run(alike, "expected")
    victim = alike.parent / "killed"
    victim.mkdir()
    recipe = alike.parent / "recipe.toml"
    code = KILLER.format(module=module, folder=victim, data=alike, recipe=recipe)
    (alike.parent / "killer.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "killer.py"],
        cwd=alike.parent,
        capture_output=True,
        text=True,
        timeout=120,
        env=make_environment(),
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "a worker process died" in done.stderr
    for path in victim.rglob("*.parquet"):
        pyarrow.parquet.read_table(path)  # what has its final name is whole
    results = (victim / "scratch" / step).glob("*.json")
    finished = {path: path.stat().st_mtime_ns for path in results}
    assert 0 < len(finished) < 4
    resumed, _ = run(alike, "killed")
    assert digests(resumed) == digests(expected)
    assert all(path.stat().st_mtime_ns == time for path, time in finished.items())


def test_a_rerun_reuses_finished_shards_and_gives_the_same_bytes(data, monkeypatch):
    expected, _ = run(data, "expected")

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(corpus, "decide", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(data, "resumed")
    work = data.parent / "resumed" / "scratch"
    (work / "clean" / "a-00000.json").unlink()
    (work / "a-00000.parquet").write_bytes(b"half a file")
    assert (work / "clean" / "b-00001.json").exists()
    (data / "b.txt").unlink()
    # Proof that the finished shard isn't read again.
    (data / "b.txt").write_text("다시 읽으면 한 줄뿐이다", encoding="utf-8")
    resumed, _ = run(data, "resumed")
    assert digests(resumed) == digests(expected)
