"""A tiny model to break."""

import shutil

import pytest


@pytest.fixture
def broken_gpt2(gpt2, tmp_path):
    """A copy of the model, for a test to break."""
    return shutil.copytree(gpt2, tmp_path / "broken")
