"""Two processes on gloo: the weights of one, whoever holds them; any number continues any other's checkpoint; kill -9."""
import os
import socket
import subprocess
import sys

import pytest
from safetensors.torch import load_file

from pipeline.training.checkpoint import last_whole, step_of
from tests.conftest import PROJECT
from tests.pipeline.tiny_tokens import write_tokens

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node")


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    return write_tokens(tmp_path_factory.mktemp("tokens") / "tokens", {"train": [2000, 700], "validation": [300]})


def train(tokens, folder, processes, *words, check=True, **environment):
    launcher = (sys.executable,) if processes == 1 else (*TORCHRUN, str(processes))
    folder.mkdir(exist_ok=True)
    done = subprocess.run([*launcher, "-m", "tests.pipeline.train_tiny", str(tokens), str(folder), *words], cwd=PROJECT,
                          env=os.environ | {"PYTHONWARNINGS": "default", **environment}, text=True, capture_output=True)
    assert done.returncode == 0 or not check, done.stderr[-3000:]
    return load_file(folder / "weights.safetensors") if check else done


def furthest(one, two):
    assert one.keys() == two.keys()
    return max(float((one[name] - two[name]).abs().max()) for name in one)


@pytest.fixture(scope="module")
def alone(tokens, tmp_path_factory):
    return train(tokens, tmp_path_factory.mktemp("alone"), 1, "optimizer=adamw")


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_processes_give_the_weights_of_one(tokens, alone, tmp_path, parallel):
    checkpointing = f"gradient_checkpointing={str(parallel == 'fsdp').lower()}"
    assert furthest(alone, train(tokens, tmp_path, 2, "optimizer=adamw", f"parallel={parallel}", checkpointing)) < 1e-5


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_muon_on_two_processes_gives_nearly_the_weights_of_one(tokens, tmp_path, parallel):
    one, two = train(tokens, tmp_path / "one", 1), train(tokens, tmp_path / "two", 2, f"parallel={parallel}")
    assert furthest(one, two) < 5e-3


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_a_rank_killed_with_9_and_relaunched_gives_the_same_weights(tokens, tmp_path, parallel):
    words = ("optimizer=adamw", f"parallel={parallel}", "checkpoint_minutes=0.00001")
    straight = train(tokens, tmp_path / "straight", 2, *words)
    assert train(tokens, tmp_path / "killed", 2, *words, check=False, KILL="1:5").returncode != 0
    step = step_of(last_whole(tmp_path / "killed/scratch/checkpoints"))
    assert 4 <= step <= 5
    assert furthest(straight, train(tokens, tmp_path / "killed", 2, *words, KILL="1:5")) == 0


@pytest.mark.parametrize("first, then", [(2, 1), (1, 2)])
def test_any_number_of_processes_continues_a_checkpoint_of_any_other(tokens, alone, tmp_path, first, then):
    words = ("optimizer=adamw", "parallel=fsdp", "checkpoint_minutes=0.00001")
    train(tokens, tmp_path, first, *words, check=False, KILL="0:5")
    assert last_whole(tmp_path / "scratch/checkpoints")
    assert furthest(alone, train(tokens, tmp_path, then, *words, KILL="0:5")) < 1e-5


def test_two_launchers_find_each_other_by_environment(tokens, alone, tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    there = {"PET_NNODES": "2", "PET_RDZV_BACKEND": "c10d", "PET_RDZV_ID": "test", "PET_RDZV_ENDPOINT": address}
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "1", "-m", "tests.pipeline.train_tiny",
               str(tokens), str(tmp_path), "optimizer=adamw"]
    nodes = [subprocess.Popen(command, cwd=PROJECT, env=os.environ | there, text=True, stderr=subprocess.PIPE) for _ in range(2)]
    for node in nodes:
        _, said = node.communicate(timeout=300)
        assert node.returncode == 0, said[-3000:]
    assert furthest(alone, load_file(tmp_path / "weights.safetensors")) < 1e-5
