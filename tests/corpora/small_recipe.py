"""Recipes and sources for tests: as objects that need only some of their settings, and as a file
with the least that a recipe has to say, but for its source's kind."""

from pathlib import Path

from corpora.recipe import Recipe, Source

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


def make_source(**settings) -> Source:
    needed = {"name": "s", "kind": "files", "licence": "mine", "paths": ("*",)}
    return Source(**needed | settings)


def make_recipe(*sources: Source, **settings) -> Recipe:
    return Recipe(title="t", description="d", validation_share=0.1, source=sources, **settings)
