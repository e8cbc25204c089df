"""How many fine-tuning runs are made at once, and with how many threads each."""

import pytest
import torch

from corpora.errors import UserError
from pipeline.cli_options import Device, Engine
from pipeline.launch import context_of_runs


@pytest.fixture
def four_threads(monkeypatch):
    """Four threads for torch, as on a machine of four cores."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def find_context(device=Device.cpu, gpus=None, workers=None, engine=Engine.pool):
    return context_of_runs(device, None, gpus, workers, engine, None, False)


@pytest.mark.parametrize(
    ("asked", "workers", "threads"),
    [
        ({}, 1, None),
        ({"workers": 2}, 2, 2),
        ({"workers": 3}, 3, 1),
        ({"workers": 8}, 8, 1),
        ({"gpus": 2}, 2, 2),
        ({"gpus": 4, "workers": 2}, 4, 1),
        ({"engine": Engine.ray}, 1, 4),
    ],
)
def test_runs_on_a_cpu_share_the_threads(four_threads, asked, workers, threads):
    context = find_context(**asked)
    assert (context.device, context.workers, context.threads) == ("cpu", workers, threads)


def test_the_threads_that_the_environment_names_are_each_runs(four_threads, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert find_context(workers=2).threads == 4


def test_gpus_that_are_not_there_are_refused_and_never_replaced_by_cores():
    with pytest.raises(UserError, match=r"GPUS=99: torch finds \d+ here. DEVICE=cpu runs"):
        find_context(Device.auto, gpus=99)


def test_of_a_ray_cluster_elsewhere_the_cluster_says_whether_it_has_gpus(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    context = find_context(Device.auto, gpus=8, engine=Engine.ray)
    assert (context.device, context.workers, context.threads) == ("cuda", 8, 1)
    with pytest.raises(UserError, match="GPUS=99"):
        find_context(Device.auto, gpus=99)
