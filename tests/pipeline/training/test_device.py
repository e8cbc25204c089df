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


def test_compiling_without_a_compiler_is_told_before_anything_runs(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="needs a C\\+\\+ compiler"):
        device.prepare_torch(deterministic=True, compiled=True, device="cpu")
    device.prepare_torch(deterministic=True, compiled=False, device="cpu")
    device.prepare_torch(deterministic=True, compiled=True, device="cuda")
