"""A prompt holds whole shots or none, what is cut is counted, and metrics are KLUE's."""

import json
import math

import numpy as np
import pytest
from transformers import AutoTokenizer

from corpora.errors import UserError
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from pipeline.evaluation.harness.task_functions import (
    BETWEEN_SHOTS,
    aggregate,
    documents,
    process_results,
)
from pipeline.evaluation.prompts import write_prompt
from tests.pipeline.evaluation.harness.conftest import CONTEXT


def test_as_many_whole_shots_as_fit_are_shown_and_counted(model):
    tokenizer = AutoTokenizer.from_pretrained(model)
    task = TASKS["ynat"]
    words = TASKS["ynat"].words

    def count_tokens(text: str) -> int:
        return len(tokenizer(text)["input_ids"])

    whole = {
        f"{write_prompt(task, 1, row).text} {words[row['label']]}"
        for row in load_rows("sample", task, "train")
    }
    room = CONTEXT - max(count_tokens(f" {word}") for word in words)
    rows = documents("ynat", str(model), klue="sample", shots=50)["validation"]
    for row in rows:
        *shots, question = row["prompt"].split(BETWEEN_SHOTS)
        assert len(shots) == row["shots"]
        assert set(shots) <= whole
        assert question.endswith("분야:")
        assert not row["cut"]
        assert count_tokens(row["prompt"]) <= room
    assert 2 < np.mean(rows["shots"]) < 50


def test_a_rows_shots_depend_on_the_seed_and_not_on_which_others_are_asked(model):
    first = documents("ynat", str(model), klue="sample", shots=4, rows=20)["validation"]
    fewer = documents("ynat", str(model), klue="sample", shots=4, rows=5)["validation"]
    by_guid = {row["guid"]: row for row in first}
    assert len(fewer) == 5
    assert all(row == by_guid[row["guid"]] for row in fewer)
    other = documents("ynat", str(model), klue="sample", shots=4, rows=20, seed=2)["validation"]
    assert other["guid"] == first["guid"]
    assert other["prompt"] != first["prompt"]


def test_a_long_text_without_room_is_cut_and_counted(model, tmp_path):
    folder = tmp_path / "nli"
    folder.mkdir()
    (train, *_) = load_rows("sample", TASKS["nli"], "train")
    for split, text in (("train", "짧다"), ("validation", "가나다 " * 300)):
        row = train | {"premise": text}
        (folder / f"{split}.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (row,) = documents("nli", str(model), klue=str(tmp_path), shots=1)["validation"]
    assert row["cut"]
    assert row["shots"] == 0


@pytest.mark.parametrize("number", [0, 4])
def test_a_prompt_that_isnt_there_is_refused(model, number):
    with pytest.raises(UserError, match=f"prompt={number}: nli has prompts 1 to 3"):
        documents("nli", str(model), klue="sample", prompt=number)


def test_every_metric_is_computed_over_all_rows_plain_and_calibrated():
    scores = [[-1.0, -2.0, -3.0], [-1.0, -3.0, -2.0]]
    asked = [{"task": "nli", "gold": float(label)} for label in (1, 2)]
    results = [
        process_results(row, [(score, False) for score in each]) for row, each in zip(asked, scores)
    ]
    assert results[0].keys() == {"accuracy", "calibrated_accuracy"}
    assert aggregate([each["accuracy"] for each in results]) == 0
    # The first word is likely everywhere: without its mean it says nothing.
    assert aggregate([each["calibrated_accuracy"] for each in results]) == 100


def test_a_correlation_with_a_constant_is_not_a_number():
    asked = {"task": "sts", "gold": 3.0}
    item = process_results(asked, [(0.0, False)] * 6)["pearson"]
    assert math.isnan(aggregate([item, item]))
