"""The least that a recipe has to say, but for its source's kind."""

from pathlib import Path

MINIMAL = """
title = "t"
description = "d"
validation_share = 0.1
[[source]]
name = "a"
licence = "mine"
"""


def write_recipe(folder: Path, text: str) -> str:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)
