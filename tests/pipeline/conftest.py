"""Tiny models that are made once for all tests that read one."""

import pytest

from tests.pipeline.tiny_model import write_bert, write_gpt2


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory):
    return write_gpt2(tmp_path_factory.mktemp("models") / "gpt2")


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("models") / "bert")
