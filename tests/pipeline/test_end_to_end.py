"""The very commands users run, shrunk: the whole chain, what changes rebuild, and what a broken run
leaves."""

import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest

from corpora.errors import UserError
from pipeline.stages.pretrain import PROMPTS
from tests.conftest import STAGES, call_pipeline, make_environment, run_pipeline
from tests.pipeline.imports import LARGE, run_and_list_imports

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def read_manifest(folder: Path, stage: str) -> dict:
    """The manifest of a stage of the tiny preset."""
    return json.loads((folder / "artifacts/tiny" / stage / "manifest.json").read_text())


def start(*arguments: str | Path, folder: Path, **options) -> subprocess.Popen:
    """Start Python in a process of its own."""
    command = [sys.executable, *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, env=make_environment(), text=True, **options)


def test_every_stage_leaves_a_finished_artifact(built):
    for stage in ("corpus", "tokenizer", "tokens", "pretrain", "klue"):
        assert read_manifest(built, stage)["counts"]
        assert not list((built / "artifacts" / stage).glob("*.partial"))


def test_bits_per_byte_counts_the_bytes_of_the_validation_text(built):
    texts = [
        text
        for path in (built / "artifacts/tiny/corpus/validation").glob("*.parquet")
        for text in pyarrow.parquet.read_table(path)["text"].to_pylist()
    ]
    num_bytes = sum(len(text.encode()) for text in texts)
    assert read_manifest(built, "pretrain")["counts"]["validation_bytes"] == num_bytes


@pytest.mark.parametrize("stage", STAGES)
def test_an_unchanged_run_returns_at_once_without_large_imports(built, tiny_preset, stage):
    printed, imported = run_and_list_imports(stage, "--preset", tiny_preset, folder=built)
    assert "up to date" in printed
    assert not imported & LARGE


def test_a_changed_setting_rebuilds_its_stage_and_those_after_it_only(copy, tiny_preset):
    change = ("--preset", tiny_preset, "tokenizer.vocab_size=1152")
    assert "up to date" in call_pipeline("corpus", *change, folder=copy)
    assert "building" in call_pipeline("tokenizer", *change, folder=copy)
    assert "building" in call_pipeline("tokens", *change, folder=copy)
    # The old ones are still there: going back costs nothing.
    assert "up to date" in call_pipeline("pretrain", "--preset", tiny_preset, folder=copy)


@pytest.mark.parametrize(
    "stage, file, next_stage, change",
    [
        ("corpus", "train", "tokenizer", "tokenizer.seed=2"),
        ("tokens", "train", "pretrain", "pretrain.seed=2"),
        ("pretrain", "model.safetensors", "klue-eval", "klue.batch_size=8"),
        ("pretrain", "model.safetensors", "klue-eval", "klue.batch_size=8 --shard=1/2"),
    ],
)
def test_a_flipped_bit_stops_the_next_stage_with_the_files_name(
    copy, tiny_preset, stage, file, next_stage, change
):
    path = copy / "artifacts/tiny" / stage / file
    if path.is_dir():
        path = min(path.iterdir())
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(UserError, match=path.name):
        call_pipeline(next_stage, "--preset", tiny_preset, *change.split(), folder=copy)


def test_kill_9_at_any_moment_of_pretraining_changes_nothing(built, copy, tiny_preset):
    straight = read_manifest(built, "pretrain")
    shutil.rmtree((copy / "artifacts/tiny/pretrain").resolve())
    metrics = copy / "artifacts/pretrain" / f"{straight['key']}.partial" / "logs/metrics.jsonl"
    command = ("-m", "pipeline", "pretrain", "--preset", tiny_preset)
    often = ("pretrain.checkpoint_minutes=0.0001", "pretrain.log_every=1")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for kill_after in (5, 15, 30):
        process = start(*command, *often, folder=copy, **quiet)
        for _ in range(6000):
            if process.poll() is not None:
                break
            if metrics.exists() and f'"step": {kill_after},' in metrics.read_text():
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not (copy / "artifacts/pretrain" / straight["key"]).exists()
    run_pipeline("pretrain", "--preset", tiny_preset, folder=copy)
    resumed = read_manifest(copy, "pretrain")
    assert resumed["counts"]["resumes"] == 3
    assert resumed["files"]["model.safetensors"] == straight["files"]["model.safetensors"]


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_processes_write_one_artifact_like_that_of_one(built, copy, tiny_preset, parallel):
    alone = read_manifest(built, "pretrain")["counts"]
    shutil.rmtree((copy / "artifacts/tiny/pretrain").resolve())
    command = ("-m", "pipeline", "pretrain", "--preset", tiny_preset, "--device", "cpu")
    setting = f"pretrain.parallel={parallel}"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start(*TORCHRUN, *command, setting, folder=copy, **pipes)
    printed, errors = process.communicate()
    assert process.returncode == 0, errors[-3000:]
    assert printed.count("done in") == 1
    together = read_manifest(copy, "pretrain")["counts"]
    assert together["processes"] == 2
    assert together["bits_per_byte"] == pytest.approx(alone["bits_per_byte"], abs=0.02)
    samples = sorted((copy / "artifacts/tiny/pretrain/logs").glob("samples-*.md"))
    assert len(samples) == 2
    assert all(len(path.read_text().splitlines()) == len(PROMPTS) for path in samples)


def test_a_full_disk_gets_one_message_and_leaves_nothing_half_written(tmp_path, tiny_preset):
    typed = ("corpus", "--preset", tiny_preset)
    done = run_pipeline(*typed, folder=tmp_path, check=False, preexec_fn=limit_file_size)
    assert done.returncode != 0
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("artifacts/corpus/*/manifest.json"))


def limit_file_size() -> None:
    """Make a write beyond a limit fail with EFBIG, as it does on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.extras
def test_tensorboard_gets_every_metric(copy, tiny_preset):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    settings = ("pretrain.tracking=tensorboard", "pretrain.seed=2")
    run_pipeline("pretrain", "--preset", tiny_preset, *settings, folder=copy)
    events = EventAccumulator(str(copy / "artifacts/tiny/pretrain/logs/tensorboard"))
    events.Reload()
    assert {"loss", "bits_per_byte", "learning_rate"} <= set(events.Tags()["scalars"])
    assert events.Scalars("loss")[-1].step == 40


@pytest.mark.extras
def test_trackio_gets_every_metric(copy, tiny_preset, monkeypatch):
    import sqlite3

    monkeypatch.setenv("TRACKIO_DIR", str(copy / "trackio"))
    settings = ("pretrain.tracking=trackio", "pretrain.seed=3")
    run_pipeline("pretrain", "--preset", tiny_preset, *settings, folder=copy)
    (database,) = (copy / "trackio").glob("korean-gpt2*.db")
    with sqlite3.connect(database) as connection:
        rows = connection.execute("select metrics from metrics").fetchall()
    metrics = {name for (row,) in rows for name in json.loads(row)}
    assert {"loss", "bits_per_byte", "learning_rate"} <= metrics


@pytest.mark.parametrize("architecture", ["gpt", "gpt3"])
def test_the_other_architectures_go_through_the_same_stages(copy, tiny_preset, architecture):
    settings = (f"pretrain.architecture={architecture}", "pretrain.checkpoint_minutes=0.0001")
    chosen = ("--preset", tiny_preset, *settings)
    command = ("-m", "pipeline", "pretrain", *chosen)
    process = start(*command, folder=copy, stdout=subprocess.PIPE)
    for line in process.stdout:
        if "step 20:" in line:
            process.kill()
    process.communicate()
    assert "resuming after step" in call_pipeline("pretrain", *chosen, folder=copy)
    assert read_manifest(copy, "pretrain")["counts"]["bits_per_byte"] < 3
    call_pipeline("export", *chosen, "--out", copy / "out", folder=copy)
    text = call_pipeline("generate", "--model", copy / "out", folder=copy)
    assert "대한민국은" in text
    call_pipeline("klue-eval", *chosen, "klue.tasks=ynat", folder=copy)
    assert read_manifest(copy, "klue")["counts"]["ynat"]
