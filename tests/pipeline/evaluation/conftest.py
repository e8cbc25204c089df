"""Tiny models that are made once for all tests of this folder."""

import pytest

from tests.pipeline.tiny_model import write_bert, write_gpt2


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory):
    return write_gpt2(tmp_path_factory.mktemp("models") / "gpt2")


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture
def broken_gpt2(gpt2, tmp_path):
    """A copy of the model, for a test to break."""
    folder = tmp_path / "broken"
    folder.mkdir()
    for path in gpt2.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder
