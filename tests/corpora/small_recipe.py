"""Recipes and sources for tests that need only some of their settings."""

from corpora.recipe import Recipe, Source


def make_source(**settings) -> Source:
    needed = {"name": "s", "kind": "files", "licence": "mine", "paths": ("*",)}
    return Source(**needed | settings)


def make_recipe(*sources: Source, **settings) -> Recipe:
    return Recipe(title="t", description="d", validation_share=0.1, source=sources, **settings)
