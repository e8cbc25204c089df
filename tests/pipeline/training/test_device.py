"""Devices and precisions: what is there is found, what isn't is told."""

import shutil

import pytest
import torch

from corpora.errors import UserError
from pipeline.training import device


def test_auto_takes_what_is_there_and_a_wish_that_cant_be_met_is_told(monkeypatch):
    for kind in (torch.cuda, torch.mps):
        monkeypatch.setattr(kind, "is_available", lambda: False)
    assert device.resolve_device("auto") == device.resolve_device("cpu") == "cpu"
    with pytest.raises(UserError, match="DEVICE=cuda: torch finds no such device here"):
        device.resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.resolve_device("auto") == "cuda"


def test_more_processes_than_gpus_are_told_before_they_look_for_each_other(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    device.require_gpus(1)
    with pytest.raises(UserError, match="GPUS=2: torch finds 1 here"):
        device.require_gpus(2)


@pytest.mark.parametrize("has_units", [True, False])
def test_auto_precision_follows_the_hardware(monkeypatch, has_units):
    monkeypatch.setattr(device, "has_bf16", lambda name: has_units)
    assert device.resolve_precision("auto", "cpu") == ("bf16" if has_units else "fp32")
    assert device.resolve_precision("fp32", "cpu") == "fp32"


def test_bf16_without_units_for_it_is_told(monkeypatch):
    monkeypatch.setattr(device, "has_bf16", lambda name: False)
    with pytest.raises(UserError, match="precision=bf16: this cpu has no bf16 units"):
        device.resolve_precision("bf16", "cpu")


@pytest.mark.parametrize(
    "kind, variable, usual", [("cpu", "CXX", {"g++"}), ("cuda", "CC", {"gcc", "clang"})]
)
def test_compiling_without_the_compiler_that_torch_calls_is_told_before_anything_runs(
    monkeypatch, kind, variable, usual
):
    """Inductor calls g++ for a CPU, Triton gcc or clang for CUDA, or what the variable names."""
    there = {"c++", "cc"}
    monkeypatch.setattr(shutil, "which", lambda name: name if name in there else None)
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UserError, match=f"on {kind}: .* isn't there.*{variable}"):
        device.require_compiler(kind)
    for name in usual:
        there = {name}
        device.require_compiler(kind)
    monkeypatch.setenv(variable, "/opt/mine")
    with pytest.raises(UserError, match="/opt/mine isn't there"):
        device.require_compiler(kind)
    there = {"/opt/mine"}
    device.require_compiler(kind)


def test_a_run_that_does_not_compile_needs_no_compiler(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    device.prepare_torch(deterministic=True, compiled=False, device="cpu")


def test_new_tensors_are_not_filled_for_the_sake_of_determinism():
    device.prepare_torch(deterministic=True, compiled=False, device="cpu")
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.utils.deterministic.fill_uninitialized_memory


PEAKS = {
    "NVIDIA H100 80GB HBM3": 989e12,
    "NVIDIA H100 PCIe": 756e12,
    "NVIDIA H100 NVL": 835e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA H100 80GB HBM3 MIG 1g.10gb": None,
    "NVIDIA GeForce RTX 4090 Laptop GPU": None,
}


@pytest.mark.parametrize("name", PEAKS)
def test_a_gpus_peak_is_that_of_its_exact_name(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: name)
    assert device.peak_flops("cuda") == PEAKS[name]


def test_a_cpu_has_no_peak_as_what_is_measured_depends_on_what_else_runs():
    assert device.peak_flops("cpu") is None
