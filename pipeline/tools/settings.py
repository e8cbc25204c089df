"""`make settings`: every setting, its value in the preset, and what it does."""
from pipeline.config import SECTIONS, describe, keyed


def run(arguments, preset) -> int:
    for section, kind in SECTIONS.items():
        kept = keyed(preset[section])
        for name, text in describe(kind).items():
            value = getattr(preset[section], name)
            note = "" if name in kept else " (not part of the key)"
            print(f"{section}.{name}={value}\n    {text}{note}")
    return 0
