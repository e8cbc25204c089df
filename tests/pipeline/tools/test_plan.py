"""`make plan`: what a pretraining will cost."""

import json
import shutil

import pytest
from transformers.models.gpt2.modeling_gpt2 import GPT2MLP

from corpora.errors import UserError
from pipeline.cli_options import Device
from pipeline.tools.plan import plan
from pipeline.training import device, probe


def test_this_machine_is_probed(tiny_preset, tmp_path, capsys):
    totals = {"train": {"tokens": 1_000_000, "bytes": 5_000_000}}
    tokens = tmp_path / "tiny/tokens"
    tokens.mkdir(parents=True)
    (tokens / "index.json").write_text(json.dumps({"totals": totals}))
    plan(preset=str(tiny_preset), device=Device.cpu, artifacts=tmp_path)
    shown = capsys.readouterr().out
    assert "probe:" in shown
    assert "(20 micro-batches of 32 tokens a sequence)\n" in shown
    assert "of 5.00 bytes of text" in shown
    rows = ("this preset", "the corpus at hand, once", "11 GB", "40 GB, GPT-2's", "570 GB, GPT-3's")
    assert all(f"| {row} |" in shown for row in rows)
    assert " this cpu |" in shown
    assert (tmp_path / "tiny/plan.md").read_text() in shown


def test_named_hardware_is_reckoned_with_and_nothing_is_tried_here(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(probe, "probe", lambda *_: pytest.fail("tried"))
    plan(preset="xl", hardware="H100", gpus=8, artifacts=tmp_path)
    shown = capsys.readouterr().out
    assert "parameters: 1,582.1M" in shown
    assert "8 x H100" in shown
    assert "8 x A100" not in shown
    assert "probe" not in shown


def test_unknown_hardware_is_told_with_what_is_known(tmp_path):
    with pytest.raises(UserError, match="HARDWARE=H1000: not among RTX 4090, A100"):
        plan(hardware="H1000", artifacts=tmp_path)


def test_what_doesnt_fit_here_isnt_tried_here(tiny_preset, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(probe, "memory_of", lambda name: 1.0)
    plan(["pretrain.compile=true"], str(tiny_preset), device=Device.cpu, artifacts=tmp_path)
    shown = capsys.readouterr().out
    assert "doesn't fit into one cpu like this machine's, so nothing was tried here" in shown
    assert "probe:" not in shown
    assert "GPUs at 40 % of their data sheet's rate" in shown
    assert all(f" 1 x {name} |" in shown for name in device.GPUS)


def test_no_speed_is_promised_for_gpus_that_run_eagerly(tmp_path, capsys):
    plan(["pretrain.compile=false"], "gpt3-small", hardware="H100", artifacts=tmp_path)
    shown = capsys.readouterr().out
    assert "x H100" not in shown
    assert "none for GPUs" in shown


def test_the_probe_takes_the_presets_own_step(tiny_preset, tmp_path, monkeypatch):
    stock_forward = GPT2MLP.forward
    num_calls = 0

    def counting_forward(self, hidden):
        nonlocal num_calls
        num_calls += 1
        return stock_forward(self, hidden)

    monkeypatch.setattr(GPT2MLP, "forward", counting_forward)
    settings = ["pretrain.gradient_checkpointing=true"]
    plan(settings, str(tiny_preset), device=Device.cpu, artifacts=tmp_path)
    assert num_calls == 22 * 2 * 2  # 22 micro-batches, 2 layers, each computed twice


def test_compiling_without_a_compiler_is_told(tiny_preset, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="compile=true on cpu: "):
        plan(["pretrain.compile=true"], str(tiny_preset), device=Device.cpu, artifacts=tmp_path)
