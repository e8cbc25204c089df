"""A tiny model with room for shots."""

import pytest

from tests.pipeline.tiny_model import write_gpt2

CONTEXT = 192


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return write_gpt2(tmp_path_factory.mktemp("models") / "gpt2-192", context=CONTEXT)
