"""What the tests of the training share."""

from pathlib import Path

import pytest

from tests.pipeline.tiny_tokens import write_tokens


@pytest.fixture(scope="session")
def tokens(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tokens") / "tokens"
    return write_tokens(folder, {"train": [2000, 700], "validation": [300]})
