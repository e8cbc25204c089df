"""The language head: any causal model learns to go on with the label's word, one model for several tasks, and prompts fit."""
import shutil

import numpy as np
import pytest
import torch
from pipeline.evaluation.finetune import fine_tune_language, word_scores
from pipeline.evaluation.prompting import PROMPTS
from transformers import AutoModelForCausalLM

from corpora.tasks.task import TASKS
from pipeline.evaluation.inputs import Reader
from pipeline.models.gpt import make_model
from pipeline.settings import SECTIONS
from tests.pipeline.tiny_model import VOCABULARY, topics, write_gpt2

YNAT, NLI = TASKS["ynat"], TASKS["nli"]


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    return write_gpt2(tmp_path_factory.mktemp("gpt2"))


def language(folder, data: list[tuple], steps: int):
    reader = Reader(folder, 96)
    tasks = {}
    for task, rows, numbers, validation in data:
        prompts, words, _ = reader.encode_prompts(task, rows)
        tasks[task.name] = prompts, words, numbers, reader.encode_prompts(task, validation)[0]
    settings = SECTIONS["klue"](batch_size=8, learning_rate=2e-3)
    return fine_tune_language(reader, folder, tasks, settings, 1, steps, "cpu")


def test_one_model_learns_to_name_the_labels_of_two_tasks(gpt2):
    rows, labels_N = topics(36)
    pairs = [{"premise": "비가 온다", "hypothesis": text} for text in ("비가 온다", "축구 결승")] * 18
    found = language(gpt2, [(YNAT, rows, labels_N, rows[:6]), (NLI, pairs, [0, 2] * 18, pairs[:4])], 250)
    assert found["ynat"].shape == (6, 7) and found["nli"].shape == (4, 3)
    assert np.allclose(found["ynat"].sum(1), 1)
    assert found["ynat"].argmax(1).tolist() == labels_N[:6].tolist()
    assert found["nli"].argmax(1).tolist() == [0, 2, 0, 2]


def test_a_words_score_is_the_log_likelihood_of_all_its_tokens(gpt2):
    model = AutoModelForCausalLM.from_pretrained(gpt2).eval()
    prompts, words = [[2, 40, 50, 60], [2, 70], [2, 9, 8, 7, 6, 5, 30]], [[100], [101, 102, 103], [104], [101, 102, 105]]
    expected = np.empty((3, 4))
    for row, prompt in enumerate(prompts):
        for column, word in enumerate(words):
            logs = model(torch.tensor([prompt + word])).logits.detach().log_softmax(-1)[0, len(prompt) - 1:-1]
            expected[row, column] = logs[torch.arange(len(word)), word].sum()
    found = word_scores(model, Reader(gpt2, 96), prompts, words)
    assert np.allclose(found, expected, atol=1e-4)


def test_a_long_text_is_cut_so_that_the_whole_prompt_and_word_fit(gpt2):
    reader = Reader(gpt2, 64)
    rows = [{"premise": "가나다 " * 100, "hypothesis": "짧다"}, {"premise": "비", "hypothesis": "눈"}]
    prompts, words, num_cut = reader.encode_prompts(NLI, rows)
    assert num_cut == 1 and len(prompts[0]) + max(map(len, words)) <= 64
    assert reader.tokenizer.decode(prompts[0]).endswith("가설: 짧다\n판단:")
    assert prompts[1][0] == reader.start and [reader.tokenizer.decode(ids) for ids in words] == [
        f" {word}" for word in PROMPTS["nli"]["words"]]


@pytest.mark.parametrize("architecture", ["gpt", "gpt3"])
def test_the_other_architectures_have_it_too(gpt2, tmp_path, architecture):
    folder = tmp_path / "model"
    shutil.copytree(gpt2, folder)
    settings = SECTIONS["pretrain"](architecture=architecture, layers=2, width=64, heads=2, context=96, compile=False)
    make_model(settings, VOCABULARY, 3, 0).save_pretrained(folder)
    rows, labels_N = topics(12)
    shares_NC = language(folder, [(YNAT, rows, labels_N, rows)], 60)["ynat"]
    assert np.mean(shares_NC.argmax(1) == labels_N) > 0.6
