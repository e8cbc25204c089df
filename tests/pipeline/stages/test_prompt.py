"""The prompt stage on the sample: all prompts and draws count, a finished run isn't asked again,
and the harness on the command line says the same."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from corpora.errors import UserError
from corpora.tasks.task import TASKS
from pipeline.evaluation.harness import task_functions
from pipeline.evaluation_settings import PromptSettings
from pipeline.executors import Context
from pipeline.stages import prompt
from tests.conftest import PROJECT
from tests.pipeline.tiny_model import write_bert, write_gpt2

SETTINGS = PromptSettings(
    data="sample", tasks=("sts", "re"), shots=(0, 2), seeds=2, rows=8, batch_size=4
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_gpt2(tmp_path_factory.mktemp("model"), context=192)


@pytest.fixture(scope="module")
def finished(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prompt")
    prompt.run(SETTINGS, {"pretrain": model}, folder, Context())
    return folder


def test_every_prompt_and_draw_counts(finished):
    metrics = json.loads((finished / "metrics.json").read_text("utf-8"))
    assert list(metrics["tasks"]) == ["sts", "re"]
    for name, found in metrics["tasks"].items():
        primary = TASKS[name].primary
        assert [len(found[shots]["runs"]) for shots in ("0", "2")] == [3, 6]
        values = [run["values"][primary] for run in found["2"]["runs"]]
        assert found["2"]["mean"][primary] == pytest.approx(np.mean(values))
        assert found["2"]["least"][primary] == min(values)
        assert found["2"]["most"][primary] == max(values)
        assert found["0"]["shots"] == 0 < found["2"]["shots"] <= 2


@pytest.mark.parametrize(
    "said",
    [
        "sample data, not KLUE",
        "whole shots shown",
        "least to most",
        "calibrated",
        "cut rows",
        "| STS r ",
        "| RE F1 ",
    ],
)
def test_the_table_says_how_it_was_asked(finished, said):
    assert said in (finished / "table.md").read_text("utf-8")


def test_a_stopped_run_goes_on_and_a_finished_one_is_not_asked_again(
    finished, model, tmp_path, monkeypatch
):
    shutil.copytree(finished / "runs", tmp_path / "runs")
    monkeypatch.setattr(task_functions, "documents", None)
    prompt.run(SETTINGS, {"pretrain": model}, tmp_path, Context())
    assert (tmp_path / "metrics.json").read_bytes() == (finished / "metrics.json").read_bytes()


# Two commands in one process, because the harness takes seconds to import; tasks of one command
# would share their batches, which changes the last digits.
COMMANDS = """
import json
import sys
from lm_eval.__main__ import cli_evaluate
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["lm_eval", *arguments]
    cli_evaluate()
"""


@pytest.fixture(scope="module")
def on_the_command_line(model, tmp_path_factory):
    """The harness's own results for two tasks, with the third prompt and the second draw."""
    metadata = {"klue": "sample", "shots": 2, "prompt": 3, "seed": 2, "rows": 8}
    folder = tmp_path_factory.mktemp("results")
    shared = ["run", "--model", "hf", "--model_args", f"pretrained={model},dtype=float32"]
    shared += ["--include_path", "pipeline/evaluation/harness", "--metadata", json.dumps(metadata)]
    shared += ["--batch_size", "4", "--device", "cpu", "--output_path", str(folder)]
    commands = [[*shared, "--tasks", f"klue_{name}"] for name in ("sts", "re")]
    subprocess.run(
        [sys.executable, "-c", COMMANDS, json.dumps(commands)],
        cwd=PROJECT,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        check=True,
        capture_output=True,
    )
    written = [json.loads(path.read_text("utf-8")) for path in folder.rglob("results_*.json")]
    return {name: values for each in written for name, values in each["results"].items()}


@pytest.mark.parametrize("name", ["sts", "re"])
def test_the_harness_on_the_command_line_gives_the_same_numbers_to_the_last_digit(
    finished, on_the_command_line, name
):
    ours = json.loads((finished / f"runs/{name}-2-3-2.json").read_text("utf-8"))["values"]
    theirs = on_the_command_line[f"klue_{name}"]
    assert {metric: theirs[f"{metric},none"] for metric in ours} == ours
    assert len(ours) == 2 * len(TASKS[name].metrics)


def test_a_model_that_reads_both_ways_is_refused(tmp_path):
    bert = write_bert(tmp_path / "bert")
    with pytest.raises(UserError, match="bert: no causal language model"):
        prompt.run(SETTINGS, {"pretrain": bert}, tmp_path, Context())


def test_a_gpt_whose_prompts_are_read_both_ways_is_refused(tmp_path):
    folder = write_gpt2(tmp_path / "gpt2")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"is_causal": False}))
    with pytest.raises(UserError, match="read prompts both ways"):
        prompt.run(SETTINGS, {"pretrain": folder}, tmp_path, Context())


@pytest.mark.parametrize(
    ("shots", "expected"),
    [
        ("", "has to be one or several numbers"),
        ("0 x", "expected a list of int"),
        ("-1", "has to be at least 0"),
    ],
)
def test_shots_that_are_no_numbers_are_refused(shots, expected):
    with pytest.raises(UserError, match=f"SET: shots=.*{expected}"):
        PromptSettings.from_table_and_texts({}, {"shots": shots}, "SET")
