"""Two processes on gloo: the weights of one, whoever holds them; any number continues any other's
checkpoint; kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pipeline.training.checkpoint import find_checkpoints, last_undamaged, step_of
from tests.conftest import PROJECT
from tests.pipeline.train_tiny import Fault, free_port, tiny, train_in_processes

Weights = dict[str, torch.Tensor]


def train(tokens: Path, folder: Path, world: int, **changes) -> Weights:
    """The weights of a training that comes to its end."""
    assert train_in_processes(world, tokens, folder, tiny(**changes)) == [0] * world
    return load_file(folder / "weights.safetensors")


def train_with(fault: Fault, tokens: Path, folder: Path, world: int, **changes) -> int:
    """The step of the checkpoint that a disturbed training leaves."""
    codes = train_in_processes(world, tokens, folder, tiny(**changes), fault)
    assert codes[fault.rank] == (-9 if fault.signal == signal.SIGKILL else 1)
    path = last_undamaged(folder / "scratch/checkpoints")
    assert path
    return step_of(path)


def largest_difference(one: Weights, two: Weights) -> float:
    assert one.keys() == two.keys()
    return max(float((one[name] - two[name]).abs().max()) for name in one)


@pytest.fixture(scope="module")
def alone(tokens, tmp_path_factory) -> Weights:
    return train(tokens, tmp_path_factory.mktemp("alone"), 1, optimizer="adamw")


@pytest.fixture(scope="module")
def alone_with_muon(tokens, tmp_path_factory) -> Weights:
    return train(tokens, tmp_path_factory.mktemp("alone"), 1)


@pytest.mark.parametrize("parallel, checkpointing", [("ddp", False), ("fsdp", True)])
def test_two_processes_give_the_weights_of_one(tokens, alone, tmp_path, parallel, checkpointing):
    changes = {"parallel": parallel, "gradient_checkpointing": checkpointing}
    two = train(tokens, tmp_path, 2, optimizer="adamw", **changes)
    assert largest_difference(alone, two) < 1e-5


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_processes_train_the_numbers_of_one_in_bf16_too(tokens, tmp_path, parallel):
    """FSDP2's own bf16 policy is 2.4e-4 off: norms, embeddings and the residual stream in bf16."""
    changes = {"optimizer": "adamw", "precision": "bf16", "width": 64}
    one = train(tokens, tmp_path / "one", 1, **changes)
    two = train(tokens, tmp_path / "two", 2, parallel=parallel, **changes)
    for weights in (one, two):
        for name in [name for name in weights if name.endswith("c_attn.bias")]:
            # A key's bias moves no attention: its gradient is rounding, which AdamW makes large.
            weights[name].chunk(3)[1].zero_()
    differences = {name: float((one[name] - two[name]).abs().mean()) for name in one}
    assert max(differences.values()) < 5e-5


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_muon_on_two_processes_gives_nearly_the_weights_of_one(
    tokens, alone_with_muon, tmp_path, parallel
):
    two = train(tokens, tmp_path, 2, parallel=parallel)
    assert largest_difference(alone_with_muon, two) < 5e-3


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_muon_is_right_where_matrices_and_rows_dont_come_out_even(tokens, tmp_path, parallel):
    """Two matrices of a kind and 32 rows for three processes."""
    changes = {"batch_size": 3, "steps": 3, "validations": 1}
    one = train(tokens, tmp_path / "one", 1, **changes)
    three = train(tokens, tmp_path / "three", 3, parallel=parallel, **changes)
    assert largest_difference(one, three) < 5e-3


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_a_rank_killed_with_9_and_relaunched_gives_the_same_weights(tokens, tmp_path, parallel):
    changes = {"optimizer": "adamw", "parallel": parallel, "checkpoint_minutes": 0.00001}
    straight = train(tokens, tmp_path / "straight", 2, **changes)
    kill = Fault(rank=1, step=5, signal=signal.SIGKILL)
    assert 4 <= train_with(kill, tokens, tmp_path / "killed", 2, **changes) <= 5
    relaunched = train(tokens, tmp_path / "killed", 2, **changes)
    assert largest_difference(straight, relaunched) == 0


@pytest.mark.parametrize("first, then", [(2, 1), (1, 2)])
def test_any_number_of_processes_continues_a_checkpoint_of_any_other(
    tokens, alone, tmp_path, first, then
):
    changes = {"optimizer": "adamw", "parallel": "fsdp", "checkpoint_minutes": 0.00001}
    kill = Fault(rank=0, step=5, signal=signal.SIGKILL)
    assert train_with(kill, tokens, tmp_path, first, **changes) >= 4
    assert largest_difference(alone, train(tokens, tmp_path, then, **changes)) < 1e-5


def test_a_signal_to_one_process_stops_all_after_the_same_step(tokens, tmp_path):
    stop = Fault(rank=1, step=5, signal=signal.SIGTERM)
    assert train_with(stop, tokens, tmp_path, 2, optimizer="adamw") == 6
    assert "stopped by another process after step 6" in (tmp_path / "stopped-0").read_text()
    assert "stopped by SIGTERM after step 6" in (tmp_path / "stopped-1").read_text()


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_a_loss_that_is_not_finite_in_one_process_leaves_the_last_good_state_of_all(
    tokens, tmp_path, parallel
):
    changes = {"parallel": parallel, "log_every": 4}
    straight = train(tokens, tmp_path / "straight", 2, **changes)
    poisoned = Fault(rank=1, step=5, signal=None)
    assert train_with(poisoned, tokens, tmp_path / "poisoned", 2, **changes) == 5
    for rank in range(2):
        assert "loss at step 6 is nan" in (tmp_path / f"poisoned/stopped-{rank}").read_text()
    resumed = train(tokens, tmp_path / "poisoned", 2, **changes)
    assert largest_difference(straight, resumed) == 0


def test_no_process_ends_before_the_state_is_written(tokens, tmp_path):
    """torchrun ends the others as soon as one has ended."""
    stop = Fault(rank=1, step=5, signal=signal.SIGTERM)
    train_with(stop, tokens, tmp_path, 2, optimizer="adamw")
    written = find_checkpoints(tmp_path / "scratch/checkpoints")[0]
    ended = tmp_path / "stopped-1"
    assert ended.stat().st_mtime_ns > written.stat().st_ctime_ns  # of the renaming


def test_several_sigterms_are_no_reason_to_lose_the_state(tokens, tmp_path):
    stop = Fault(rank=0, step=5, signal=signal.SIGTERM, times=3)
    assert train_with(stop, tokens, tmp_path, 2, optimizer="adamw") == 6


def test_a_damaged_checkpoint_ends_all_processes(tokens, tmp_path):
    folder = tmp_path / "scratch/checkpoints"
    folder.mkdir(parents=True)
    (folder / "step-00000001-0.safetensors").write_bytes(b"not a checkpoint")
    assert train_in_processes(2, tokens, tmp_path, tiny()) == [1, 1]


def tell_all(torchrun: int) -> None:
    """What systemd and some of Slurm's set-ups do."""
    ps = ["ps", "-o", "pid=", "--ppid", str(torchrun)]
    workers = subprocess.run(ps, text=True, capture_output=True, check=True).stdout.split()
    assert len(workers) == 2
    for pid in (*workers, torchrun):
        os.kill(int(pid), signal.SIGTERM)


def press_ctrl_c(torchrun: int) -> None:
    """What a terminal does: it tells the group in the foreground."""
    os.killpg(torchrun, signal.SIGINT)


@pytest.mark.parametrize("stop", [tell_all, press_ctrl_c])
def test_torchrun_is_stopped_and_the_state_is_saved(tokens, tmp_path, stop):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    program = ["-m", "tests.pipeline.train_tiny", tokens, tmp_path, "steps=100000"]
    process = subprocess.Popen(
        [*torchrun, "--nproc-per-node", "2", *program],
        cwd=PROJECT,
        text=True,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    log = tmp_path / "logs/metrics.jsonl"
    while process.poll() is None and not (log.exists() and log.stat().st_size):
        time.sleep(0.05)
    stop(process.pid)
    _, said = process.communicate(timeout=300)
    path = last_undamaged(tmp_path / "scratch/checkpoints")
    assert path, said[-3000:]
    assert step_of(path) == json.loads(log.read_text().splitlines()[-1])["step"]


def test_two_launchers_find_each_other_by_environment(tokens, alone, tmp_path):
    environment = os.environ | {
        "PET_NNODES": "2",
        "PET_RDZV_BACKEND": "c10d",
        "PET_RDZV_ID": "test",
        "PET_RDZV_ENDPOINT": f"localhost:{free_port()}",
    }
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "1"]
    program = ["-m", "tests.pipeline.train_tiny", tokens, tmp_path, "optimizer=adamw"]
    nodes = [
        subprocess.Popen(
            [*torchrun, *program],
            cwd=PROJECT,
            env=environment,
            text=True,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for node in nodes:
        _, said = node.communicate(timeout=300)
        assert node.returncode == 0, said[-3000:]
    weights = load_file(tmp_path / "weights.safetensors")
    assert largest_difference(alone, weights) < 1e-5
