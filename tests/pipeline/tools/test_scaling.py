"""`make scaling`: small models of several sizes, and the law that plan forecasts by."""

import json

import pytest

from corpora.errors import UserError
from pipeline.cli_options import Device
from pipeline.tools import scaling as tool
from pipeline.tools.plan import plan
from tests.conftest import call_pipeline

SIZES = (tool.Size(1, 16, 1), tool.Size(1, 32, 1), tool.Size(2, 32, 2))
STEPS = (2, 4)  # of 40


@pytest.fixture
def few(monkeypatch):
    """Sizes and lengths that take seconds."""
    monkeypatch.setattr(tool, "SIZES", SIZES)
    monkeypatch.setattr(tool, "STEP_SHARES", (1 / 20, 1 / 10))


def test_every_size_is_trained_at_every_length_and_plan_forecasts_by_them(
    few, copy, tiny_preset, capsys
):
    link_before = (copy / "artifacts/tiny/pretrain").readlink()
    printed = call_pipeline("scaling", "--preset", tiny_preset, folder=copy)
    runs = json.loads((copy / "artifacts/tiny/scaling.json").read_text())["runs"]
    shapes = [(run["layers"], run["width"], run["steps"]) for run in runs]
    assert shapes == [(size.layers, size.width, steps) for size in SIZES for steps in STEPS]
    assert all(f"{run['bits_per_byte']:.4f}" in printed for run in runs)
    assert "The preset itself, which isn't in the fit" in printed
    assert (copy / "artifacts/tiny/pretrain").readlink() == link_before
    for run in runs:
        name = f"{run['layers']}x{run['width']}-{run['steps']}"
        folder = copy / "artifacts/tiny-scaling" / name / "pretrain"
        assert (folder / "model.safetensors").exists()
    plan(preset=str(tiny_preset), device=Device.cpu, artifacts=copy / "artifacts")
    shown = capsys.readouterr().out
    assert "bits per byte | best size, M" in shown


def test_a_second_call_trains_nothing_again(few, copy, tiny_preset):
    call_pipeline("scaling", "--preset", tiny_preset, folder=copy)
    again = call_pipeline("scaling", "--preset", tiny_preset, folder=copy)
    assert again.count("pretrain: up to date") == len(SIZES) * len(STEPS)


def test_without_tokens_the_command_that_makes_them_is_named(few, tmp_path, tiny_preset):
    with pytest.raises(UserError, match="make tokens PRESET="):
        call_pipeline("scaling", "--preset", tiny_preset, folder=tmp_path)
