"""KLUE's runs, each on a GPU of its own: the predictions of one GPU."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.evaluation_settings import KlueSettings
from pipeline.executors import Context
from pipeline.stages import klue
from tests.pipeline.tiny_model import write_gpt2

DEVICE = os.environ.get("KOREAN_GPT2_DEVICE", "cuda")  # cpu shows that the test runs, no more


@pytest.mark.skipif(
    DEVICE == "cuda" and torch.cuda.device_count() < 2,
    reason="fewer than two GPUs: KLUE's runs on a GPU each were NOT tested",
)
def test_a_run_on_each_gpu_gives_the_predictions_of_one(tmp_path):
    model = write_gpt2(tmp_path / "model")
    settings = KlueSettings(
        data="sample",
        tasks=("sts", "re"),
        seeds=1,
        epochs={"sts": 1, "re": 1},
        head=("linear", "language"),
        batch_size=16,
        max_length=64,
        train_rows=48,
    )
    num_gpus = torch.cuda.device_count() if DEVICE == "cuda" else 2
    klue.run(settings, {"pretrain": model}, tmp_path / "one", Context(DEVICE))
    context = Context(DEVICE, workers=num_gpus, threads=1)
    klue.run(settings, {"pretrain": model}, tmp_path / "all", context)
    paths = list((tmp_path / "one" / "predictions").iterdir())
    assert len(paths) == 10
    for path in paths:
        found = read_outputs(tmp_path / "all" / "predictions" / path.name)
        np.testing.assert_allclose(found, read_outputs(path), atol=0.01, err_msg=path.name)


def read_outputs(path: Path) -> np.ndarray:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return np.array([row.get("scores", row["prediction"]) for row in rows])
