"""A tiny model, and the stage run with it on the sample, once for all tests of the stage."""

import json

import pytest

from corpora.contamination import DECONTAMINATED, fingerprint
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from pipeline.evaluation_settings import KlueSettings
from pipeline.executors import Context
from pipeline.stages import klue
from tests.pipeline.tiny_model import write_gpt2


@pytest.fixture(scope="session")
def settings() -> KlueSettings:
    return KlueSettings(
        data="sample",
        tasks=("sts", "re"),
        seeds=2,
        epochs={"sts": 1, "re": 1},
        batch_size=16,
        max_length=64,
        train_rows=48,
    )


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A model whose pretraining text was searched for the sentences of RE."""
    folder = write_gpt2(tmp_path_factory.mktemp("models") / "gpt2")
    sentences = [row["sentence"] for row in load_rows("sample", TASKS["re"], "validation")]
    known = {"re validation": fingerprint(sentences)}
    (folder / DECONTAMINATED).write_text(json.dumps(known))
    return folder


@pytest.fixture(scope="session")
def finished(settings, model, tmp_path_factory):
    """The stage's folder after a run on two tasks with two seeds."""
    folder = tmp_path_factory.mktemp("klue")
    klue.run(settings, {"pretrain": model}, folder, Context())
    return folder
