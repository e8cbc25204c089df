"""The corpus stage gives the same bytes whoever runs it and however often it was stopped."""
import os
import subprocess
import sys

import pyarrow.parquet
import pytest

from pipeline.stages import corpus
from tests.conftest import PROJECT, run_pipeline
from tests.pipeline.small_corpus import digests, rows, run


def test_the_bytes_depend_neither_on_the_workers_nor_on_where_the_data_lies(data):
    one, _ = run(data, "one")
    two, _ = run(data, "two", workers=2)
    assert digests(one) == digests(two)
    moved = data.rename(data.parent / "moved")
    assert digests(run(moved, "three")[0]) == digests(one)


ENGINES = {"pool": [{"workers": 2}], "array": [{"shard": (2, 3)}, {"shard": (1, 3)}, {"shard": (3, 3)}, {"merge": True}]}


def test_every_engine_gives_the_same_bytes(alike, capsys):
    one, _ = run(alike, "one")
    for name, steps in ENGINES.items():
        for engine in steps[:-1]:
            with pytest.raises(SystemExit):
                run(alike, name, **engine)
            assert "run the same command with MERGE=1" in capsys.readouterr().out
        assert digests(run(alike, name, **steps[-1])[0]) == digests(one)


@pytest.mark.extras
def test_a_ray_cluster_gives_the_same_bytes(alike, ray_cluster):
    assert digests(run(alike, "ray", ray=True)[0]) == digests(run(alike, "one")[0])


@pytest.mark.extras
def test_a_ray_cluster_started_elsewhere_finds_relative_paths(alike, ray_cluster):
    """The cluster's processes stand in another folder than the command."""
    found = []
    for engine in ("ray", "pool"):
        run_pipeline("corpus", "--recipe", "recipe.toml", "--data", "data", "--engine", engine, "--artifacts", engine, folder=alike.parent)
        folder, = (alike.parent / engine / "corpus").iterdir()
        found.append(digests(folder) | {"manifest.json": None})
    assert found[0] == found[1]


def test_any_number_of_files_gives_the_same_documents(alike):
    """The same rows in one file, in four and in seven, dealt out in turn and in runs."""
    lines = [line for path in sorted(alike.glob("a*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    found = []
    for number in (1, 4, 7):
        for dealt in (True, False):
            for path in alike.glob("a*.jsonl"):
                path.unlink()
            size = -(-len(lines) // number)
            for part in range(number):
                rows_here = lines[part::number] if dealt else lines[part * size:(part + 1) * size]
                (alike / f"a{part}.jsonl").write_text("\n".join(rows_here) + "\n", encoding="utf-8")
            folder, _ = run(alike, f"files-{number}-{dealt}")
            found.append([sorted((row["source"], row["text"]) for row in rows(folder, split)) for split in corpus.SPLITS])
    assert all(each == found[0] for each in found)
    assert sum(text.count("낱말119은") for source, text in found[0][0] + found[0][1]) == 5


@pytest.mark.parametrize("step", ["clean_shard", "write_shard"])
def test_a_worker_killed_in_mid_shard_fails_loudly_and_the_rerun_does_what_is_missing(alike, step):
    """Real processes: the worker that ends the third shard's file kills itself before the file has its name."""
    expected, _ = run(alike, "expected")
    victim = alike.parent / "killed"
    victim.mkdir()
    code = KILLER.format(step=step, folder=str(victim), data=str(alike), recipe=str(alike.parent / "recipe.toml"))
    (alike.parent / "killer.py").write_text(code)
    done = subprocess.run([sys.executable, "killer.py"], cwd=alike.parent, capture_output=True, text=True, timeout=120,
                          env=os.environ | {"PYTHONPATH": str(PROJECT)})
    assert done.returncode == 1 and "a worker process died" in done.stderr, done.stderr
    for path in victim.rglob("*.parquet"):
        pyarrow.parquet.read_table(path)  # what has its final name is whole
    names = {"clean_shard": "clean", "write_shard": "write"}
    finished = {path: path.stat().st_mtime_ns for path in (victim / "scratch" / names[step]).glob("*.json")}
    assert 0 < len(finished) < 4
    resumed, _ = run(alike, "killed")
    assert digests(resumed) == digests(expected)
    assert all(path.stat().st_mtime_ns == time for path, time in finished.items())


KILLER = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
import corpora.recipe
from corpora.errors import UserError
from pipeline.executors import Context
from pipeline.stages import corpus
corpora.recipe.SHARD_BYTES = 1
real = corpus.ParquetFile
class Deadly(real):
    def __exit__(self, *error):
        if self.path.name == "a-00002.parquet" and ("{step}" == "clean_shard") == (self.path.parent.name == "scratch"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__exit__(*error)
corpus.ParquetFile = Deadly
if __name__ == "__main__":
    try:
        corpus.run(SimpleNamespace(recipe="{recipe}"), {{}}, Path("{folder}"), Context(data=Path("{data}"), workers=2))
    except UserError as error:
        sys.exit(str(error))
"""


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
    (data / "b.txt").write_text("다시 읽으면 한 줄뿐이다", encoding="utf-8")  # proof: the finished shard isn't read again
    resumed, _ = run(data, "resumed")
    assert digests(resumed) == digests(expected)
