"""What the tests of the training share."""

from pathlib import Path

import pytest

from pipeline.training import device
from tests.pipeline.tiny_tokens import write_tokens
from tests.pipeline.train_tiny import QUICK_PEAK_SIZE


@pytest.fixture(scope="session")
def tokens(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tokens") / "tokens"
    return write_tokens(folder, {"train": [2000, 700], "validation": [300]})


@pytest.fixture(autouse=True)
def quick_peak(monkeypatch):
    """The device's peak from a matrix product that takes no time."""
    monkeypatch.setattr(device, "PEAK_SIZE", QUICK_PEAK_SIZE)
    device.peak_flops.cache_clear()
    yield
    device.peak_flops.cache_clear()
