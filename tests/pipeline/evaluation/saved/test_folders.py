"""Saved fine-tuned models, opened by transformers alone, answer as they did when scored."""

import shutil
import unicodedata

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    pipeline,
)

from corpora.tasks.task import TASKS
from pipeline.evaluation.inputs import MARKERS, Reader, split_with_types
from pipeline.evaluation.language_head import LanguageHead, PromptedTask
from pipeline.evaluation.linear_head import Examples, LinearHead
from pipeline.evaluation.prompts import answer, write_prompt
from pipeline.evaluation.words import score_words
from pipeline.evaluation_settings import KlueSettings
from pipeline.models.gpt import make_model
from pipeline.settings import PretrainSettings
from tests.pipeline.evaluation.relations import relation
from tests.pipeline.tiny_model import VOCABULARY, topics

YNAT, NLI, STS, RE = TASKS.values()
LOOK_ALIKES = "</s> 오늘 <sep> <subj>이름</subj> <pad>는 [SEP] 비 [CLS]  두 칸"
TITLES = [
    "은행 금리 소식",
    LOOK_ALIKES,
    unicodedata.normalize("NFD", "국회 의원"),
    "!",
    "축구\n결승",
]
PAIRS = [("비가 온다", "비가 안 온다"), (LOOK_ALIKES, "축구 결승"), ("!", LOOK_ALIKES)]
SENTENCES = ["지난해 한빛전자는 김하늘이 세웠다.", "김하늘은 </s> 서울의 한빛전자 <sep> 사장이다."]
ROWS = {
    YNAT.name: [{"title": title} for title in TITLES],
    NLI.name: [{"premise": first, "hypothesis": second} for first, second in PAIRS],
    STS.name: [{"sentence1": first, "sentence2": second} for first, second in PAIRS],
    RE.name: [relation(sentence, "한빛전자", "김하늘") for sentence in SENTENCES],
}


@pytest.fixture(params=["gpt2", "gpt", "gpt3", "bert"])
def folder(request, tmp_path):
    """A model of every kind: ours, and one whose tokenizer lacks our tokens."""
    if request.param in ("gpt2", "bert"):
        return request.getfixturevalue(request.param)
    settings = PretrainSettings(
        architecture=request.param, layers=2, width=64, heads=2, context=96, compile=False
    )
    shutil.copytree(request.getfixturevalue("gpt2"), tmp_path / "model")
    make_model(settings, VOCABULARY, 3, 0).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def tune(folder, task, both_ways=False) -> tuple[LinearHead, Reader]:
    reader = Reader(folder, 96)
    rows = ROWS[task.name]
    targets_N = np.linspace(0, 5, len(rows)) if task is STS else np.arange(len(rows))
    inputs = reader.encode(task, rows).ids
    examples = Examples(inputs, np.tile(targets_N, len(task.orders)), [])
    torch.manual_seed(1)
    head = LinearHead(reader, task, True, "cpu", both_ways)
    settings = KlueSettings(epochs={task.name: 2}, batch_size=4, learning_rate=2e-3)
    head.fine_tune(examples, settings, 1)
    return head, reader


def as_typed(task, row) -> str | dict[str, str]:
    """What a user gives transformers' pipeline."""
    if not task.entities:
        parts = [row[column] for column in task.texts]
        return parts[0] if len(parts) == 1 else dict(zip(("text", "text_pair"), parts))
    left, first, middle, second, right = split_with_types(row, task)
    is_subject = row["subject_entity"]["start_idx"] < row["object_entity"]["start_idx"]
    marks = MARKERS if is_subject else MARKERS[2:] + MARKERS[:2]
    return left + marks[0] + first + marks[1] + middle + marks[2] + second + marks[3] + right


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_a_pipeline_of_transformers_gives_the_same_answers(folder, task, tmp_path):
    head, reader = tune(folder, task)
    head.save(tmp_path / "saved")
    rows = ROWS[task.name]
    typed = [as_typed(task, row) for row in rows]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "saved")
    read = [tokenizer(**each) if isinstance(each, dict) else tokenizer(each) for each in typed]
    inputs = reader.encode(task, rows).ids
    assert [each["input_ids"] for each in read] == inputs[: len(rows)]
    classify = pipeline("text-classification", str(tmp_path / "saved"), device="cpu")
    answers = [classify(each, top_k=None) for each in typed]
    batched = classify(typed, top_k=None, batch_size=len(typed), padding=True)
    if task is STS:
        swapped = [{"text": each["text_pair"], "text_pair": each["text"]} for each in typed]
        both = [
            (one[0]["score"] + classify(other, top_k=None)[0]["score"]) / 2
            for one, other in zip(answers, swapped)
        ]
        np.testing.assert_allclose(both, head.predict(inputs), atol=1e-4)
        assert answers[0][0]["label"] == "score"
    else:
        expected_NC = head.predict(inputs)
        for found in (answers, batched):
            scores = [{each["label"]: each["score"] for each in of_row} for of_row in found]
            found_NC = [[of_row[label] for label in task.labels] for of_row in scores]
            np.testing.assert_allclose(found_NC, expected_NC, atol=1e-4)


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_a_model_that_reads_both_ways_still_does_when_it_is_loaded(gpt2, task, tmp_path):
    head, reader = tune(gpt2, task, both_ways=True)
    head.save(tmp_path / "saved")
    rows = ROWS[task.name]
    expected = head.predict(reader.encode(task, rows).ids)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved").eval()
    ids = torch.tensor([reader.encode(task, rows[:1]).ids[0]])
    changed = ids.clone()
    changed[0, -2] += 1
    first = [model.transformer(each).last_hidden_state[0, 0] for each in (ids, changed)]
    assert not torch.allclose(*first, atol=1e-6)  # what comes later is seen
    if task is not STS:
        classify = pipeline("text-classification", str(tmp_path / "saved"), device="cpu")
        typed = [as_typed(task, row) for row in rows]
        for answers in (
            [classify(each, top_k=None) for each in typed],
            classify(typed, top_k=None, batch_size=len(typed), padding=True),
        ):
            found = [{each["label"]: each["score"] for each in of_row} for of_row in answers]
            found_NC = [[of_row[label] for label in task.labels] for of_row in found]
            np.testing.assert_allclose(found_NC, expected, atol=1e-4)


def test_a_long_text_is_cut_by_truncation(gpt2, tmp_path):
    head, _ = tune(gpt2, YNAT)
    head.save(tmp_path / "saved")
    classify = pipeline("text-classification", str(tmp_path / "saved"), device="cpu")
    long, longer = (classify("은행 금리 " * times, truncation=True) for times in (100, 200))
    assert long == longer


@pytest.mark.parametrize("both_ways", [False, True])
def test_a_saved_language_head_goes_on_with_the_words(gpt2, tmp_path, both_ways):
    reader = Reader(gpt2, 96)
    rows, labels_N = topics(24)
    asked = PromptedTask(
        YNAT,
        reader.encode_words(YNAT),
        reader.encode_prompts(YNAT, rows).ids,
        labels_N.tolist(),
        reader.encode_prompts(YNAT, rows[:6]).ids,
    )
    torch.manual_seed(1)
    head = LanguageHead(reader, "cpu", both_ways)
    head.fine_tune([asked], KlueSettings(batch_size=8, learning_rate=2e-3), 1, 120)
    head.save(tmp_path / "saved", max(map(len, asked.words)))
    write = pipeline("text-generation", str(tmp_path / "saved"), device="cpu")
    prompts = [write_prompt(YNAT, 1, row).text for row in rows[:6]]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert tokenizer(prompts)["input_ids"] == asked.validation
    words = [f" {YNAT.words[label]}" for label in labels_N[:6]]
    one_by_one = [write(prompt, return_full_text=False) for prompt in prompts]
    together = write(prompts, return_full_text=False, batch_size=6)
    for found in (one_by_one, together):
        written = [answers[0]["generated_text"] for answers in found]
        assert all(text.startswith(word) for text, word in zip(written, words))
    stock = AutoModelForCausalLM.from_pretrained(tmp_path / "saved").eval()
    found_NC = score_words(stock, asked.validation, asked.words, "cpu")
    np.testing.assert_allclose(answer(YNAT, found_NC), head.predict(asked), atol=1e-5)
    # What comes later in a prompt is seen from its beginning, or isn't.
    ids = torch.tensor([asked.validation[0]])
    changed = ids.clone()
    changed[0, -1] += 1
    first, other = (stock.transformer(each).last_hidden_state[0, 0] for each in (ids, changed))
    assert torch.allclose(first, other, atol=1e-6) is not both_ways
