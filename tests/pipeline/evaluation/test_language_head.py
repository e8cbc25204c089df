"""The language head: any causal model learns to go on with the label's word, one model for several
tasks."""

import shutil

import numpy as np
import pytest

from corpora.tasks.task import TASKS
from pipeline.evaluation.inputs import Reader
from pipeline.evaluation.language_head import LanguageHead, PromptedTask
from pipeline.evaluation_settings import KlueSettings
from pipeline.models.gpt import make_model
from pipeline.settings import PretrainSettings
from tests.pipeline.tiny_model import VOCABULARY, topics

YNAT, NLI = TASKS["ynat"], TASKS["nli"]


def tune(folder, data: list[tuple], num_steps: int) -> dict[str, np.ndarray]:
    reader = Reader(folder, 96)
    tasks = [
        PromptedTask(
            task,
            reader.encode_words(task),
            reader.encode_prompts(task, rows).ids,
            right_words,
            reader.encode_prompts(task, validation).ids,
        )
        for task, rows, right_words, validation in data
    ]
    settings = KlueSettings(batch_size=8, learning_rate=2e-3)
    head = LanguageHead(reader, "cpu")
    head.fine_tune(tasks, settings, 1, num_steps)
    return {each.task.name: head.predict(each) for each in tasks}


def test_one_model_learns_to_name_the_labels_of_two_tasks(gpt2):
    rows, labels_N = topics(36)
    texts = ("비가 온다", "축구 결승")
    pairs = [{"premise": "비가 온다", "hypothesis": text} for text in texts] * 18
    both = [(YNAT, rows, labels_N, rows[:6]), (NLI, pairs, [0, 2] * 18, pairs[:4])]
    found = tune(gpt2, both, 200)
    assert found["ynat"].shape == (6, 7)
    assert found["nli"].shape == (4, 3)
    assert np.allclose(found["ynat"].sum(1), 1)
    assert found["ynat"].argmax(1).tolist() == labels_N[:6].tolist()
    assert found["nli"].argmax(1).tolist() == [0, 2, 0, 2]


@pytest.mark.parametrize("architecture", ["gpt", "gpt3"])
def test_the_other_architectures_have_it_too(gpt2, tmp_path, architecture):
    folder = tmp_path / "model"
    shutil.copytree(gpt2, folder)
    settings = PretrainSettings(
        architecture=architecture, layers=2, width=64, heads=2, context=96, compile=False
    )
    make_model(settings, VOCABULARY, 3, 0).save_pretrained(folder)
    rows, labels_N = topics(12)
    shares_NC = tune(folder, [(YNAT, rows, labels_N, rows)], 60)["ynat"]
    assert np.mean(shares_NC.argmax(1) == labels_N) > 0.6
