"""`make settings`: every setting, its value in the preset, and what it does."""

from corpora.settings import KEYED_IF_CHANGED, UNKEYED
from pipeline import cli_options
from pipeline.launch import read_preset
from pipeline.presets import STAGE_SETTINGS


def settings(
    overrides: cli_options.Overrides = None, preset: cli_options.PresetName = "demo"
) -> None:
    """Every setting, its value in the preset, and what it does."""
    chosen = dict(read_preset(preset, overrides))
    for section, kind in STAGE_SETTINGS.items():
        for name, value in chosen[section]:
            field = kind.model_fields[name]
            remark = ""
            if UNKEYED in field.metadata:
                remark = " (not part of the key)"
            elif KEYED_IF_CHANGED in field.metadata:
                remark = f" (part of the key unless {field.default})"
            help_text = " ".join((field.description or "").split())
            print(f"{section}.{name}={show(value)}\n    {help_text}{remark}")


def show(value: object) -> str:
    """A setting's value on one line."""
    if isinstance(value, tuple):
        return " ".join(str(each) for each in value)
    if isinstance(value, dict):
        return " ".join(f"{key}={each}" for key, each in value.items())
    return str(value)
