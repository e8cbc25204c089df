"""Several processes before they train: the first one decides, the others follow, and one speaks."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.artifacts.locks import locked
from tests.conftest import make_environment

TORCHRUN = ("-m", "pipeline.torchrun", "--standalone", "--nproc-per-node", "2")
SOON = 300  # seconds; what hangs does so for half an hour


def start(*command: str | Path, folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a program in two processes."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [sys.executable, *TORCHRUN, *map(str, command)],
        cwd=folder,
        env=make_environment(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1", **environment),
        text=True,
        **pipes,
    )


def pretrain(preset: Path, *words: str, device: str = "cpu") -> tuple[str | Path, ...]:
    return ("-m", "pipeline", "pretrain", "--preset", preset, "--device", device, *words)


def finish(process: subprocess.Popen[str], status: int = 0) -> tuple[str, str]:
    """What a run printed on its way to its end, which has this status."""
    try:
        printed, errors = process.communicate(timeout=SOON)
    except subprocess.TimeoutExpired:
        process.terminate()  # torchrun then ends its processes
        raise
    assert process.returncode == status, errors[-3000:]
    return printed, errors


def test_an_artifact_that_is_there_ends_all_processes_at_once(built, tiny_preset):
    printed, _ = finish(start(*pretrain(tiny_preset), folder=built))
    assert printed.count("pretrain: up to date") == 1


def test_an_artifact_that_another_run_finishes_ends_all_processes(copy, tiny_preset):
    final = (copy / "artifacts/tiny/pretrain").resolve()
    kept = final.rename(copy / "kept")
    with locked(copy / "artifacts/.locks" / f"pretrain-{final.name}"):
        process = start(*pretrain(tiny_preset), folder=copy)
        assert process.stdout
        assert "another run is building" in process.stdout.readline()
        kept.rename(final)
    printed, _ = finish(process)
    assert printed.count("pretrain: done") == 1
    assert not final.with_name(f"{final.name}.partial").exists()


def test_only_the_first_process_hashes_inputs(copy, tiny_preset):
    shutil.rmtree((copy / "artifacts/tiny/pretrain").resolve())
    (copy / "artifacts/.digests.json").unlink()
    hashing = ("-m", "tests.pipeline.hashing", copy / "hashed", *pretrain(tiny_preset)[2:])
    finish(start(*hashing, folder=copy))
    lines = [line.split(" ", 1) for line in (copy / "hashed").read_text().splitlines()]
    assert {rank for rank, _ in lines} == {"0"}
    assert any("/tokens/" in path for _, path in lines)
    assert any(path.endswith("cleanups.toml") for _, path in lines)


@pytest.mark.parametrize(
    "words, device, said",
    [
        (["pretrain.steps=0"], "cpu", "error: the command line, pretrain: steps=0"),
        (["pretrain.seed=2"], "cuda", "error: DEVICE=cuda: torch finds no such device"),
        (["pretrain.seed=2"], "auto", "error: GPUS=2: torch finds 0 here. DEVICE=cpu"),
        (["pretrain.batch_size=3", "pretrain.micro_batch_size=1"], "cpu", "multiple of the 2"),
    ],
)
def test_what_is_wrong_for_all_is_told_once(copy, tiny_preset, words, device, said):
    _, errors = finish(start(*pretrain(tiny_preset, *words, device=device), folder=copy), 1)
    assert errors.count(said) == errors.count("error:") == 1
    assert "Traceback" not in errors


def test_a_wrong_option_is_told_once(copy, tiny_preset):
    _, errors = finish(start(*pretrain(tiny_preset, device="tpu"), folder=copy), 2)
    assert errors.count("Invalid value for '--device'") == 1
    assert "Traceback" not in errors


def test_a_damaged_input_is_told_once_and_nobody_waits(copy, tiny_preset):
    path = min((copy / "artifacts/tiny/tokens/train").iterdir())
    path.write_bytes(path.read_bytes()[:-1])
    _, errors = finish(start(*pretrain(tiny_preset, "pretrain.seed=2"), folder=copy), 1)
    assert errors.count(path.name) == errors.count("error:") == 1
    assert "Traceback" not in errors


def test_a_stage_that_runs_in_one_process_says_so(copy, tiny_preset):
    words = ("-m", "pipeline", "klue-eval", "--preset", tiny_preset, "klue.batch_size=8")
    _, errors = finish(start(*words, "--device", "cpu", folder=copy), 1)
    assert errors.count("klue: runs in one process") == errors.count("error:") == 1


def test_ctrl_c_while_waiting_for_another_run_ends_all_processes(copy, tiny_preset):
    final = (copy / "artifacts/tiny/pretrain").resolve()
    shutil.rmtree(final)
    with locked(copy / "artifacts/.locks" / f"pretrain-{final.name}"):
        process = start(*pretrain(tiny_preset), folder=copy)
        assert process.stdout
        assert "another run is building" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = finish(process, 128 + signal.SIGINT)
    assert errors.count("stopped; the same command continues") == 1
    assert "Traceback" not in errors


SLOW_TO_END = """
import os, pathlib, signal, sys, time

def save(*_):
    time.sleep(3)
    pathlib.Path(f"saved-{os.environ['RANK']}").touch()
    sys.exit()

signal.signal(signal.SIGTERM, save)
pathlib.Path(f"ready-{os.environ['RANK']}").touch()
time.sleep(600)
"""


@pytest.mark.parametrize("seconds, saved", [("1", False), ("60", True)])
def test_a_stopped_run_has_as_long_for_its_checkpoint_as_is_said(tmp_path, seconds, saved):
    program = tmp_path / "slow.py"
    program.write_text(SLOW_TO_END)
    process = start(program, folder=tmp_path, TORCH_ELASTIC_SHUTDOWN_TIMEOUT=seconds)
    while not all((tmp_path / f"ready-{rank}").exists() for rank in "01"):
        assert process.poll() is None
    process.terminate()
    finish(process, 128 + signal.SIGTERM)
    assert [(tmp_path / f"saved-{rank}").exists() for rank in "01"] == [saved] * 2


def test_a_process_that_a_signal_ended_is_named(tmp_path):
    program = tmp_path / "killed.py"
    program.write_text(
        "import os, time\n"
        "if os.environ['RANK'] == '1':\n"
        f"    os.kill(os.getpid(), {signal.SIGKILL:d})\n"
        "time.sleep(600)\n"
    )
    _, errors = finish(start(program, folder=tmp_path), 1)
    assert "error: process 1 was ended by SIGKILL" in errors
    assert "Traceback" not in errors
