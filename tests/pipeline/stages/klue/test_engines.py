"""The same predictions, whoever makes the runs, on the same number of threads; and what happens
when one fails."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from corpora.errors import UserError
from corpora.tasks.rows import SAMPLE
from pipeline.evaluation_settings import KlueSettings
from pipeline.executors import Context
from pipeline.stages import klue
from pipeline.stages.klue.runs import Run
from tests.conftest import make_environment, run_pipeline
from tests.pipeline.stages.klue.read import read_lines

TWO_AT_ONCE = Context(workers=2, threads=1)


@pytest.fixture(scope="module")
def shared(settings) -> KlueSettings:
    """Nine runs, one of which answers both tasks."""
    return settings.model_copy(update={"head": ("linear", "joint"), "seeds": 1, "train_rows": 24})


@pytest.fixture(scope="module")
def one(shared, model, tmp_path_factory) -> Path:
    """The stage's folder after the runs were made one after the other."""
    folder = tmp_path_factory.mktemp("one")
    klue.run(shared, {"pretrain": model}, folder, Context())
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """What the stage leaves, but for the seconds that it took."""
    paths = [*folder.glob("*.*"), *folder.glob("predictions/*")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_a_run_is_named_after_its_tasks_and_leaves_a_file_for_each():
    run = Run("joint", ("sts", "re"), 24, 1)
    assert run.name == "sts-re-joint-24rows-1"
    assert str(run.predictions("re")) == "predictions/re-joint-24rows-1.jsonl"
    assert Run("tfidf", ("re",), 0, 0).name == "re-tfidf"


def test_a_pool_gives_the_bytes_of_one_process(shared, model, one, tmp_path):
    klue.run(shared, {"pretrain": model}, tmp_path, TWO_AT_ONCE)
    assert contents(tmp_path) == contents(one)
    runs = read_lines(tmp_path / "logs/runs.jsonl")
    assert len(runs) == 9
    assert {run["threads"] for run in runs} == {1}


def test_the_jobs_of_an_array_share_the_runs_and_the_merge_gives_the_same_bytes(
    shared, model, one, tmp_path, capsys
):
    for job, num_runs in ((2, 4), (1, 5)):
        with pytest.raises(SystemExit):
            klue.run(shared, {"pretrain": model}, tmp_path, Context(shard=(job, 2)))
        assert f"job {job} of 2 is done, {num_runs} shards now" in capsys.readouterr().out
        assert not (tmp_path / "metrics.json").exists()
    made = {path: path.stat().st_mtime_ns for path in tmp_path.glob("predictions/*")}
    klue.run(shared, {"pretrain": model}, tmp_path, Context(merge=True))
    assert contents(tmp_path) == contents(one)
    assert {path: path.stat().st_mtime_ns for path in made} == made


def test_the_merge_needs_every_run(shared, model, tmp_path):
    expected = "9 of 9 shards are missing, such as sts-majority-24rows-1"
    with pytest.raises(UserError, match=expected):
        klue.run(shared, {"pretrain": model}, tmp_path, Context(merge=True))


@pytest.mark.parametrize("context", [Context(), TWO_AT_ONCE])
def test_a_run_that_fails_stops_the_stage_with_its_message(shared, model, tmp_path, context):
    """The folder's fault shows only when a run loads the weights."""
    faulty = shutil.copytree(model, tmp_path / "model")
    config = json.loads((faulty / "config.json").read_text())
    (faulty / "config.json").write_text(json.dumps(config | {"n_layer": 3}))
    with pytest.raises(UserError, match=f"{faulty}: its weights lack 12 tensors"):
        klue.run(shared, {"pretrain": faulty}, tmp_path / "out", context)


KILLER = """
import os, signal, sys
from pathlib import Path
from corpora.errors import UserError
from pipeline.executors import Context
from pipeline.evaluation_settings import KlueSettings
from pipeline.stages import klue
from pipeline.stages.klue import runs

write = runs.write_predictions

def write_or_die(path, rows, output):
    if path.name == "re-joint-24rows-1.jsonl":  # its other file is there by now
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, rows, output)

runs.write_predictions = write_or_die
if __name__ == "__main__":
    settings, model, folder = sys.argv[1:]
    settings = KlueSettings.model_validate_json(settings)
    try:
        klue.run(settings, {"pretrain": Path(model)}, Path(folder), Context(workers=2, threads=1))
    except UserError as error:
        sys.exit(str(error))
"""


def test_a_worker_killed_in_mid_run_fails_loudly_and_the_rerun_does_the_rest(
    shared, model, one, tmp_path
):
    (tmp_path / "killer.py").write_text(KILLER)
    folder = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "killer.py", shared.model_dump_json(), model, folder],
        cwd=tmp_path,
        env=make_environment(OMP_NUM_THREADS="1", TRANSFORMERS_VERBOSITY="error"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "klue: runs: a worker process died" in done.stderr
    finished = {path: path.stat().st_mtime_ns for path in (folder / "scratch/runs").glob("*.json")}
    assert 0 < len(finished) < 9
    klue.run(shared, {"pretrain": model}, folder, Context())
    assert contents(folder) == contents(one)
    assert all(path.stat().st_mtime_ns == time for path, time in finished.items())


@pytest.mark.extras
def test_a_ray_cluster_started_elsewhere_gives_the_same_bytes(
    shared, model, one, tmp_path, ray_cluster
):
    """The cluster's processes stand in another folder than the command, which names its own."""
    shutil.copytree(model, tmp_path / "model")
    shutil.copytree(SAMPLE, tmp_path / "klue")
    chosen = [
        "klue.tasks=sts re",
        "klue.head=linear joint",
        "klue.train_rows=24",
        "klue.epochs.sts=1",
        "klue.epochs.re=1",
        "klue.batch_size=16",
        "klue.max_length=64",
        "klue.learning_rate=0.0003",
    ]
    where = ("--model", "model", "--klue", "klue", "--seeds", "1", "--device", "cpu")
    run_pipeline("klue-eval", *where, *chosen, "--engine", "ray", folder=tmp_path)
    (found,) = (tmp_path / "artifacts/klue").iterdir()
    assert set(found.glob("predictions/*"))
    for path in found.glob("predictions/*"):
        assert path.read_bytes() == (one / "predictions" / path.name).read_bytes(), path
    assert len(read_lines(found / "logs/runs.jsonl")) == 9
