"""Prompts hold whole shots or none, what is cut is counted, and the harness on the command line says the same."""
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from pipeline.evaluation.prompting import (
    BETWEEN,
    PROMPTS,
    answer,
    calibrate,
    documents,
    write_prompt,
)
from transformers import AutoTokenizer

from corpora.errors import UserError
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from pipeline.evaluation import prompting
from pipeline.executors import Context
from pipeline.settings import SECTIONS
from pipeline.stages import prompt
from tests.conftest import PROJECT
from tests.pipeline.tiny_model import write_bert, write_gpt2

SETTINGS = SECTIONS["prompt"](data="sample", shots="0 2", seeds=2, rows=12, batch_size=4)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_gpt2(tmp_path_factory.mktemp("model"), context=192)


@pytest.fixture(scope="module")
def finished(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prompt")
    prompt.run(SETTINGS, {"pretrain": model}, folder, Context())
    return folder


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_every_label_has_a_word_that_begins_no_other(task):
    words = PROMPTS[task.name]["words"]
    assert len(words) == len(task.labels) or (task.regression and words == list("012345"))
    assert not [(one, other) for one in words for other in words if one != other and other.startswith(one)]
    row, = load_rows("sample", task, "train")[:1]
    texts = [write_prompt(task, number, row)[0] for number in (1, 2, 3)]
    assert len(set(texts)) == 3
    for text in texts:
        assert not text.endswith(" ") and all(row[column] in text for column in task.texts)


def test_the_longest_text_is_cut_until_the_prompt_fits_and_never_what_surrounds_it():
    row = {"premise": "가" * 300, "hypothesis": "짧다"}
    text, cut = write_prompt(TASKS["nli"], 1, row, lambda text: len(text) <= 100)
    assert cut and 80 < len(text) <= 100
    assert text.startswith("전제: 가") and text.endswith("\n가설: 짧다\n판단:")
    assert write_prompt(TASKS["nli"], 1, row) == (f"전제: {'가' * 300}\n가설: 짧다\n판단:", False)
    with pytest.raises(UserError, match="NLI: prompt 1 is longer than the model's context"):
        write_prompt(TASKS["nli"], 1, row, lambda text: len(text) <= 10)


def test_as_many_whole_shots_as_fit_are_shown_and_counted(model):
    tokenizer = AutoTokenizer.from_pretrained(model)
    task, words = TASKS["ynat"], PROMPTS["ynat"]["words"]
    whole = {f"{write_prompt(task, 1, row)[0]} {words[row['label']]}" for row in load_rows("sample", task, "train")}
    rows = documents("ynat", str(model), klue="sample", shots=50)["validation"]
    for row in rows:
        *shots, question = row["prompt"].split(BETWEEN)
        assert len(shots) == row["shots"] and set(shots) <= whole
        assert question.endswith("분야:") and not row["cut"]
        assert len(tokenizer(row["prompt"])["input_ids"]) <= 192 - max(len(tokenizer(f" {word}")["input_ids"]) for word in words)
    assert 2 < np.mean(rows["shots"]) < 50
    again = documents("ynat", str(model), klue="sample", shots=50, rows=5)["validation"]
    by_guid = {row["guid"]: row for row in rows}
    assert all(row == by_guid[row["guid"]] for row in again) and len(again) == 5
    assert documents("ynat", str(model), klue="sample", shots=50, seed=2)["validation"]["prompt"] != rows["prompt"]


def test_likelihoods_become_labels_and_degrees_and_calibration_takes_a_words_own_share_away():
    scores_NC = np.log(np.array([[0.6, 0.3, 0.1], [0.5, 0.1, 0.4]]))
    assert np.allclose(answer(TASKS["nli"], scores_NC - 7), np.exp(scores_NC))
    assert answer(TASKS["nli"], calibrate(scores_NC)).argmax(1).tolist() == [1, 2]
    degrees_N = answer(TASKS["sts"], np.log(np.array([[0.5, 1e-9, 1e-9, 1e-9, 1e-9, 0.5]])))
    assert degrees_N == pytest.approx([2.5])


def test_every_prompt_and_draw_counts_and_the_table_says_how_many_shots_there_were(finished):
    metrics = json.loads((finished / "metrics.json").read_text("utf-8"))
    for name, found in metrics["tasks"].items():
        primary = TASKS[name].primary
        assert [len(found[number]["runs"]) for number in ("0", "2")] == [3, 6]
        values = [run["values"][primary] for run in found["2"]["runs"]]
        assert found["2"]["mean"][primary] == pytest.approx(np.mean(values))
        assert (found["2"]["least"][primary], found["2"]["most"][primary]) == (min(values), max(values))
        assert found["0"]["shots"] == 0 < found["2"]["shots"] <= 2
    text = (finished / "table.md").read_text("utf-8")
    for said in ("sample data, not KLUE", "whole shots shown", "least to most", "calibrated", "cut rows", "| NLI acc "):
        assert said in text, said


def test_a_stopped_run_goes_on_and_a_finished_one_is_not_asked_again(finished, model, tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    for path in (finished / "runs").iterdir():
        (tmp_path / "runs" / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(prompting, "documents", None)
    prompt.run(SETTINGS, {"pretrain": model}, tmp_path, Context())
    assert (tmp_path / "metrics.json").read_bytes() == (finished / "metrics.json").read_bytes()


@pytest.mark.parametrize("name", ["sts", "re"])
def test_the_harness_on_the_command_line_gives_the_same_numbers_to_the_last_digit(finished, model, tmp_path, name):
    metadata = json.dumps({"klue": "sample", "shots": 2, "prompt": 3, "seed": 2, "rows": 12})
    subprocess.run([sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--model_args",
                    f"pretrained={model},dtype=float32", "--include_path", "pipeline/evaluation/harness", "--tasks",
                    f"klue_{name}", "--metadata", metadata, "--batch_size", "4", "--device", "cpu", "--output_path",
                    tmp_path], cwd=PROJECT, env=os.environ | {"HF_HUB_OFFLINE": "1"}, check=True, capture_output=True)
    path, = tmp_path.rglob("results_*.json")
    results = json.loads(path.read_text("utf-8"))["results"][f"klue_{name}"]
    ours = json.loads((finished / f"runs/{name}-2-3-2.json").read_text("utf-8"))["values"]
    assert {metric: results[f"{metric},none"] for metric in ours} == ours
    assert len(ours) == 4


def test_a_model_that_reads_both_ways_is_refused(tmp_path):
    bert = write_bert(tmp_path / "bert")
    with pytest.raises(UserError, match="bert: no causal language model"):
        prompt.run(SETTINGS, {"pretrain": bert}, tmp_path, Context())


@pytest.mark.parametrize("shots", ["", "0 x", "-1"])
def test_shots_that_are_no_numbers_are_refused(model, tmp_path, shots):
    settings = SECTIONS["prompt"](data="sample", shots=shots)
    with pytest.raises(UserError, match="give whole numbers and spaces"):
        prompt.run(settings, {"pretrain": model}, tmp_path, Context())


@pytest.mark.parametrize("number", [0, 4])
def test_a_prompt_that_isnt_there_is_refused(model, number):
    with pytest.raises(UserError, match=f"prompt={number}: nli has prompts 1 to 3"):
        documents("nli", str(model), klue="sample", prompt=number)
