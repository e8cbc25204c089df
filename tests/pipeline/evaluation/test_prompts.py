"""Prompts lose nothing but what has to be cut, and likelihoods become answers."""

import numpy as np
import pytest

from corpora.errors import UserError
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS, Task
from pipeline.evaluation.prompts import answer, calibrate, write_prompt


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_every_label_has_a_word_that_begins_no_other(task):
    words = task.words
    assert len(words) == (len(task.labels) or 6)
    assert not task.regression or words == tuple("012345")
    pairs = [(one, other) for one in words for other in words if one != other]
    assert not [pair for pair in pairs if pair[1].startswith(pair[0])]


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_every_prompt_holds_the_rows_texts_and_ends_before_the_space(task):
    row = load_rows("sample", task, "train")[0]
    texts = [write_prompt(task, number, row).text for number in (1, 2, 3)]
    assert len(set(texts)) == 3
    for text in texts:
        assert not text.endswith(" ")
        assert all(row[column] in text for column in task.texts)


def test_the_longest_text_is_cut_until_the_prompt_fits_and_never_what_surrounds_it():
    task = TASKS["nli"]
    row = {"premise": "가" * 300, "hypothesis": "짧다"}
    text, was_cut = write_prompt(task, 1, row, lambda text: len(text) <= 100)
    assert was_cut
    assert 80 < len(text) <= 100
    assert text.startswith("전제: 가")
    assert text.endswith("\n가설: 짧다\n판단:")
    whole = f"전제: {'가' * 300}\n가설: 짧다\n판단:"
    assert write_prompt(task, 1, row) == (whole, False)
    with pytest.raises(UserError, match="NLI: prompt 1 is longer than the model's context"):
        write_prompt(task, 1, row, lambda text: len(text) <= 10)


def test_likelihoods_become_labels_and_degrees():
    scores_NC = np.log(np.array([[0.6, 0.3, 0.1], [0.5, 0.1, 0.4]]))
    assert np.allclose(answer(TASKS["nli"], scores_NC - 7), np.exp(scores_NC))
    shares_NC = np.array([[0.5, 1e-9, 1e-9, 1e-9, 1e-9, 0.5]])
    assert answer(TASKS["sts"], np.log(shares_NC)) == pytest.approx([2.5])


def test_calibration_takes_a_words_own_share_away():
    scores_NC = np.log(np.array([[0.6, 0.3, 0.1], [0.5, 0.1, 0.4]]))
    assert answer(TASKS["nli"], calibrate(scores_NC)).argmax(1).tolist() == [1, 2]


def test_a_nested_column_is_named_by_its_last_key():
    task = Task(
        name="own",
        title="own",
        texts=("data[].question", "data[].answer"),
        labels=("a", "b"),
        metrics=("accuracy",),
        prompts=("{question} / {answer}:",),
        words=("예", "아니요"),
    )
    row = {"data[].question": "비가 오나?", "data[].answer": "온다"}
    assert write_prompt(task, 1, row).text == "비가 오나? / 온다:"
