"""torchrun with a process a GPU, as many as there are: the weights of one process."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import PROJECT
from tests.pipeline.train_tiny import tiny, train_and_save

LARGEST_DIFFERENCE = {"adamw": 1e-3, "muon": 5e-3}


@pytest.mark.parametrize("optimizer", LARGEST_DIFFERENCE)
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_a_process_a_gpu_gives_the_weights_of_one(tokens, tmp_path, device, parallel, optimizer):
    world = torch.cuda.device_count() if device == "cuda" else 2
    changes = {"optimizer": optimizer, "parallel": parallel, "batch_size": 2 * world}
    for name in ("alone", "together"):
        (tmp_path / name).mkdir()
    train_and_save(tokens, tmp_path / "alone", tiny(**changes), device=device)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(world)]
    program = ["-m", "tests.pipeline.train_tiny", tokens, tmp_path / "together", f"device={device}"]
    words = [f"{name}={value}" for name, value in changes.items()]
    done = subprocess.run(
        [sys.executable, *torchrun, *program, *words],
        cwd=PROJECT,
        text=True,
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    alone, together = (
        load_file(tmp_path / name / "weights.safetensors") for name in ("alone", "together")
    )
    for name, weight in alone.items():
        torch.testing.assert_close(
            together[name], weight, atol=LARGEST_DIFFERENCE[optimizer], rtol=0
        )
    if world == 1:
        pytest.skip(f"one GPU: NCCL was tested by one process, {parallel} was NOT")
