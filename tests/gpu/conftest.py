"""What only a GPU shows: `make test-gpu`. Without one all of it is skipped, and says so.

`make test-gpu DEVICE=cpu` runs the same tests on the CPU: that shows that the tests run, and
nothing about GPUs."""

import os
import warnings
from pathlib import Path

import pytest
import torch

from pipeline.training.device import resolve_precision
from tests.pipeline.tiny_tokens import write_tokens


@pytest.fixture(autouse=True)
def torchs_warnings_are_no_errors():
    """torch's compiler warns of itself, and of GPUs that nobody here has seen."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        yield


@pytest.fixture(autouse=True)
def device() -> str:
    wanted = os.environ.get("KOREAN_GPT2_DEVICE", "cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here: what is for GPUs was NOT tested")
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.skip("a GPU isn't shared by tests: it's tested by make test-gpu, and was NOT here")
    return wanted


@pytest.fixture
def precision(device) -> str:
    return resolve_precision("auto", device)


@pytest.fixture
def tokens(tmp_path) -> Path:
    return write_tokens(tmp_path / "tokens", {"train": [20_000], "validation": [1000]})
