"""`make settings`: every setting, its value in the preset, and what it does."""
from dataclasses import fields

from pipeline.config import SECTIONS


def run(arguments, preset) -> None:
    for section, kind in SECTIONS.items():
        for each in fields(kind):
            note = "" if each.metadata["keyed"] else " (not part of the key)"
            print(f"{section}.{each.name}={getattr(preset[section], each.name)}\n    {each.metadata['help']}{note}")
