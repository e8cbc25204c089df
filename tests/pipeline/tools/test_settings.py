"""`make settings` shows every setting as it can be typed, with its help."""

import shlex

from pipeline.launch import read_preset
from tests.conftest import call_pipeline


def test_every_setting_is_shown_with_its_value_and_its_help(tmp_path):
    text = call_pipeline("settings", "pretrain.steps=77", folder=tmp_path)
    assert "pretrain.steps=77\n    Optimizer steps." in text
    assert "klue.tasks=ynat nli sts re\n" in text
    assert "klue.epochs=ynat=8 nli=8 sts=8 re=8\n" in text
    assert text.count("(not part of the key)") > 5


def test_what_is_shown_can_be_typed(tmp_path):
    """Every setting of the laptop preset, typed on top of the demo preset, gives the former."""
    shown = call_pipeline("settings", "--preset", "laptop", folder=tmp_path)
    settings = [line for line in shown.splitlines() if not line.startswith(" ")]
    typed = [line for line in settings if not line.startswith("klue.epochs=")]
    (epochs,) = (line for line in settings if line.startswith("klue.epochs="))
    typed += [f"klue.epochs.{each}" for each in shlex.split(epochs.partition("=")[2])]
    preset = read_preset("demo", typed)
    named = {"name": "laptop", "description": ""}
    wanted = read_preset("laptop", None).model_copy(update=named)
    assert preset.model_copy(update=named) == wanted
