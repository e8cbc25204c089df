"""The KLUE stage on the sample: a stopped run goes on, a wrong setting stops it early, and every
arm that was asked for is there."""

import numpy as np
import pytest

from corpora.errors import UserError
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from pipeline.evaluation.inputs import Reader
from pipeline.executors import Context
from pipeline.stages import klue
from pipeline.stages.klue import runs
from pipeline.stages.klue.experiment import Experiment
from pipeline.stages.klue.rows import read_rows
from tests.pipeline.stages.klue.read import read_lines, read_metrics, read_table
from tests.pipeline.tiny_model import write_bert


def test_every_task_has_both_baselines_and_every_arm_and_seed(finished):
    names = sorted(path.stem for path in (finished / "predictions").iterdir())
    assert names == sorted(
        f"{task}-{arm}-48rows-{seed}"
        for task in ("sts", "re")
        for arm in ("majority", "tfidf", "random", "pretrained")
        for seed in (1, 2)
    )
    runs = read_lines(finished / "logs/runs.jsonl")
    assert len(runs) == 16
    assert all(run["seconds"] >= 0 for run in runs)


def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(finished, settings, model, tmp_path):
    kept = ("sts-pretrained-48rows-2", "sts-tfidf-48rows-2", "re-random-48rows-2")
    (tmp_path / "predictions").mkdir()
    for name in kept:
        path = f"predictions/{name}.jsonl"
        (tmp_path / path).write_bytes((finished / path).read_bytes())
    klue.run(settings, {"pretrain": model}, tmp_path, Context())
    for path in finished.rglob("*"):
        if path.is_file() and not {"logs", "scratch"} & set(path.parts):
            assert path.read_bytes() == (tmp_path / path.relative_to(finished)).read_bytes(), path
    assert len(read_lines(tmp_path / "logs/runs.jsonl")) == 16 - len(kept)


def test_a_named_model_is_scored_without_a_pretrained_one_and_one_seed_has_no_spread(
    settings, model, tmp_path
):
    changes = {
        "model": str(model),
        "tasks": ("nli",),
        "seeds": 1,
        "control": False,
        "epochs": {"nli": 1},
    }
    counts = klue.run(settings.model_copy(update=changes), {}, tmp_path, Context())
    assert set(counts["nli"]) == {"rows", "majority", "tfidf", "pretrained"}
    text = read_table(tmp_path)
    assert "preliminary: 1 seed, no random twin" in text
    assert " ± " not in text.split("\n\n")[1]
    assert str(model) in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "no-such-folder"}, "no-such-folder: no such folder"),
        ({"data": "no-such-folder"}, "no-such-folder: no such folder"),
    ],
)
def test_a_wrong_setting_stops_before_anything_is_written(
    settings, model, tmp_path, change, expected
):
    with pytest.raises(UserError, match=expected):
        klue.run(settings.model_copy(update=change), {"pretrain": model}, tmp_path, Context())
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("change", [{"head": ("linear", "joint")}, {"lm_weight": 0.5}])
def test_what_needs_a_causal_model_is_told_before_anything_is_run(settings, tmp_path, change):
    bert = write_bert(tmp_path / "bert")
    expected = f"{bert}: no causal language model, as klue.head=linear"
    with pytest.raises(UserError, match=expected):
        klue.run(
            settings.model_copy(update=change), {"pretrain": bert}, tmp_path / "out", Context()
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"transferred_layers": 9}, "klue.transferred_layers=9: the model has 2"),
        ({"transferred_layers": 1, "head": ("linear", "joint")}, "is for klue.head=linear"),
    ],
)
def test_layers_that_cant_be_transferred_are_told_before_anything_is_run(
    settings, model, tmp_path, change, expected
):
    wanted = settings.model_copy(update=change)
    with pytest.raises(UserError, match=expected):
        klue.run(wanted, {"pretrain": model}, tmp_path / "out", Context())
    assert not (tmp_path / "out").exists()


def test_rows_are_encoded_for_the_heads_that_are_wanted(settings, model):
    rows = {"re": read_rows(TASKS["re"], settings)}
    for head, expected in ((("linear",), ["inputs"]), (("language", "joint"), ["prompts"])):
        wanted = settings.model_copy(update={"head": head})
        experiment = Experiment(wanted, Reader(model, 64), rows, "cpu")
        assert list(experiment.encoded) == expected


@pytest.fixture(scope="module")
def with_everything(settings, model, tmp_path_factory):
    """The stage's folder after a run with every head, noise and a learning curve."""
    folder = tmp_path_factory.mktemp("everything")
    changes = {
        "head": ("linear", "language", "joint"),
        "noise": True,
        "curve": True,
        "seeds": 1,
        "train_rows": 0,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "CURVE_SIZES", (24, 10_000))
        klue.run(settings.model_copy(update=changes), {"pretrain": model}, folder, Context())
    return folder


def test_heads_stand_beside_the_linear_head_and_are_compared_with_those_before(with_everything):
    for name, result in read_metrics(with_everything)["tasks"].items():
        arms = list(result["arms"])
        assert arms == ["majority", "tfidf", "random", "pretrained", "language", "joint"]
        num_rows = len(load_rows("sample", TASKS[name], "validation"))
        for number, figures in enumerate(result["arms"].values()):
            assert np.sum(figures["confusion"]) == num_rows
            assert list(figures["above"]) == arms[:number]
    text = read_table(with_everything)
    assert "| one model for all tasks" in text
    assert "STS: pretrained, language head, r:" in text
    assert "## RE, random twin" in (with_everything / "classes.md").read_text("utf-8")


def test_one_joint_run_writes_every_tasks_predictions(with_everything):
    runs = read_lines(with_everything / "logs/runs.jsonl")
    assert [run["arm"] for run in runs].count("joint") == 1
    for name in ("sts", "re"):
        assert (with_everything / "predictions" / f"{name}-joint-1.jsonl").exists()


def test_noisy_rows_are_scored_beside_the_clean_ones(with_everything):
    tasks = read_metrics(with_everything)["tasks"]
    for result in tasks.values():
        for figures in result["arms"].values():
            assert figures["spacing"].keys() == figures["typos"].keys() == figures["mean"].keys()
    tfidf = tasks["re"]["arms"]["tfidf"]
    assert tfidf["spacing"] != tfidf["mean"]
    table = cells_of(read_table(with_everything))
    header = ["STS r", "spacing", "typos", "RE F1", "spacing", "typos"]
    place = table.index(["clean rows beside noisy ones", *header])
    expected = [
        f"{tasks[name]['arms']['pretrained'][part][metric]:.1f}"
        for name, metric in (("sts", "pearson"), ("re", "micro_f1"))
        for part in ("mean", "spacing", "typos")
    ]
    assert table[place + 5] == ["pretrained", *expected]


def test_the_learning_curve_ends_with_all_rows(with_everything):
    tasks = read_metrics(with_everything)["tasks"]
    for result in tasks.values():
        all_rows = str(result["rows"]["train"])
        sizes = {arm: list(by_size) for arm, by_size in result["curve"].items()}
        assert sizes == {arm: ["24", all_rows] for arm in ("tfidf", "random", "pretrained")}
        last = result["curve"]["pretrained"][all_rows]["mean"]
        assert last == result["arms"]["pretrained"]["mean"]
    assert (with_everything / "learning_curve.png").stat().st_size > 10_000
    table = cells_of(read_table(with_everything))
    place = table.index(["RE F1 by labelled rows", "24", str(tasks["re"]["rows"]["train"])])
    rows = table[place + 2 :]
    assert [row[0] for row in rows] == ["TF-IDF + linear SVM", "random twin", "pretrained"]
    assert rows[2][2] == f"{tasks['re']['arms']['pretrained']['mean']['micro_f1']:.1f}"


def cells_of(text: str) -> list[list[str]]:
    """The cells of every line of every table."""
    lines = [line.strip("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")] for line in lines]
