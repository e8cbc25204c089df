"""`make claim`: each claim is measured on the preset's own models, and what it says agrees with
what the stages say."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import UserError
from pipeline.claims.command import CLAIMS
from pipeline.tools import scaling
from tests.conftest import TINY_PRESET, call_pipeline

FEW = ("--klue", "sample", "--tasks", "ynat sts", "prompt.rows=12", "prompt.seeds=1")


@pytest.fixture(scope="module")
def preset(tmp_path_factory) -> Path:
    """The tiny one with room for prompts, and with models kept on the way."""
    path = tmp_path_factory.mktemp("preset") / "tiny.toml"
    path.write_text(
        TINY_PRESET.replace("context = 32", "context = 128\nsnapshots = 2").replace(
            "control = false", "control = true"
        )
    )
    return path


@pytest.fixture(scope="module")
def folder(built, preset, tmp_path_factory) -> Path:
    """A copy of the built corpus and tokens, with this preset's model, to which claims add."""
    path = tmp_path_factory.mktemp("claims")
    shutil.copytree(built / "artifacts", path / "artifacts", symlinks=True)
    call_pipeline("pretrain", "--preset", preset, folder=path)
    call_pipeline("klue-eval", "--preset", preset, *FEW, folder=path)
    return path


def measure(claim: str, preset: Path, folder: Path, *typed: str) -> dict[str, Any]:
    printed = call_pipeline(
        "claim", "--preset", preset, "--claim", claim, *FEW, *typed, folder=folder
    )
    of_preset = folder / "artifacts/tiny/claims"
    page = (of_preset / f"{claim}.md").read_text()
    assert page in printed
    assert "sample data: the figures mean nothing" in page
    assert (of_preset / f"{claim}.png").stat().st_size > 1000
    measured = json.loads((of_preset / f"{claim}.json").read_text())
    assert {panel["task"] for panel in measured["panels"]} >= {"YNAT", "STS"}
    for difference in measured["differences"]:
        low, high = difference["interval"] or (0, 0)
        expected = "yes" if low > 0 else "no" if high < 0 else "not shown"
        assert difference["verdict"] == expected
    return measured


def scores_of(measured: dict[str, Any], task: str, curve: int = 0) -> dict[Any, float]:
    (panel,) = [panel for panel in measured["panels"] if panel["task"] == task]
    return {point["at"]: point["score"] for point in panel["curves"][curve]["points"]}


def klue_scores(folder: Path, artifact: str, task: str, arm: str) -> float:
    metrics = json.loads((folder / "artifacts" / artifact / "metrics.json").read_text())
    primary = {"ynat": "macro_f1", "sts": "pearson", "re": "micro_f1"}[task]
    return metrics["tasks"][task]["arms"][arm]["mean"][primary]


def test_all_layers_score_what_klue_eval_says(folder, preset):
    measured = measure("layers", preset, folder)
    found = scores_of(measured, "YNAT")
    assert list(found) == [0, 1, 2]
    assert found[2] == pytest.approx(klue_scores(folder, "tiny/klue", "ynat", "pretrained"))
    assert found[0] != found[2]
    assert not (folder / "artifacts/tiny-claims/layers-2").exists()  # klue-eval left it
    stage = folder / "artifacts/tiny-claims/layers-0/klue"
    assert not (stage / "models").exists()
    assert not list(stage.glob("predictions/*tfidf*"))
    assert "no baselines" in (stage / "table.md").read_text()


def test_the_auxiliary_loss_stands_beside_plain_fine_tuning(folder, preset):
    found = scores_of(measure("auxiliary", preset, folder), "YNAT")
    assert list(found) == ["without", "weight 0.5"]
    expected = klue_scores(folder, "tiny/klue", "ynat", "pretrained")
    assert found["without"] == pytest.approx(expected)


def test_zero_shot_is_asked_of_every_model_on_the_way(folder, preset):
    measured = measure("steps", preset, folder)
    assert list(scores_of(measured, "YNAT")) == [4, 13, 40]
    # The same model is asked by the stage itself.
    call_pipeline("klue-prompt", "--preset", preset, *FEW, folder=folder)
    metrics = json.loads((folder / "artifacts/tiny/prompt/metrics.json").read_text())
    mean = metrics["tasks"]["ynat"]["0"]["mean"]
    assert scores_of(measured, "YNAT")[40] == pytest.approx(mean["macro_f1"])
    assert scores_of(measured, "YNAT", 1)[40] == pytest.approx(mean["calibrated_macro_f1"])


@pytest.mark.parametrize(
    ("claim", "typed", "expected"),
    [
        ("steps", ("pretrain.snapshots=0",), r"pretrain\.snapshots=4"),
        ("shots", ("pretrain.architecture=bert",), "one of causal models"),
        ("labels", ("klue.model=other",), "preset's own model, not on klue.model=other"),
        ("both-ways", ("pretrain.init=other",), "can't all continue other"),
    ],
)
def test_what_cant_be_measured_is_told_before_anything_is_built(
    folder, preset, claim, typed, expected
):
    before = set((folder / "artifacts").rglob("*"))
    for command in ("klue-check", "claim"):
        with pytest.raises(UserError, match=expected):
            call_pipeline(command, "--preset", preset, "--claim", claim, *typed, folder=folder)
    assert set((folder / "artifacts").rglob("*")) == before


def test_a_gpt_and_a_bert_of_the_same_text_stand_beside_their_twins(folder, preset):
    own = (folder / "artifacts/tiny/pretrain").readlink()
    measured = measure("both-ways", preset, folder)
    assert (folder / "artifacts/tiny/pretrain").readlink() == own
    found = scores_of(measured, "YNAT")
    # This preset has no hidden words, and klue-eval has left the linear heads of its model.
    gpt = (folder / "artifacts/tiny-claims/gpt/pretrain").readlink()
    assert gpt.name == own.name
    assert not (folder / "artifacts/tiny-claims/gpt-as-it-is").exists()
    for name, arm in (
        ("GPT", "pretrained"),
        ("GPT: not pretrained", "random"),
        ("TF-IDF", "tfidf"),
    ):
        assert found[name] == pytest.approx(klue_scores(folder, "tiny/klue", "ynat", arm))
    said = klue_scores(folder, "tiny-claims/bert-as-it-is/klue", "ynat", "random")
    assert found["BERT: not pretrained"] == pytest.approx(said)
    config = json.loads((folder / "artifacts/tiny-claims/bert/pretrain/config.json").read_text())
    assert config["model_type"] == "bert"
    whats = {difference["what"] for difference in measured["differences"]}
    assert {"BERT, less GPT", "GPT with hidden words, both ways, less BERT"} <= whats


def test_every_tasks_model_is_asked_every_task(folder, preset):
    # Without words for types, neither the models' prompts nor the questions have them.
    with_re = ("--tasks", "ynat sts re", "klue.entity_types=false")
    measured = measure("other-tasks", preset, folder, *with_re)
    for task, title in (("ynat", "YNAT"), ("sts", "STS"), ("re", "RE")):
        found = scores_of(measured, title)
        assert list(found) == ["not fine-tuned", "YNAT", "STS", "RE", "all tasks"]
        for model, arm in ((title, "language"), ("all tasks", "joint")):
            said = klue_scores(folder, "tiny-claims/heads/klue", task, arm)
            assert found[model] == pytest.approx(said, abs=0.01)


def test_labels_compares_what_klue_eval_with_all_heads_says(folder, preset):
    measured = measure("labels", preset, folder)
    assert [panel["task"] for panel in measured["panels"]] == ["STS", "YNAT"]  # 6 words, 7
    found = scores_of(measured, "YNAT")
    for name, arm in (("linear head", "pretrained"), ("words", "language")):
        said = klue_scores(folder, "tiny-claims/heads/klue", "ynat", arm)
        assert found[name] == pytest.approx(said)


def test_klue_evals_own_artifact_serves_where_it_has_every_head(folder, preset):
    more = ("klue.head=linear language joint", "klue.noise=true")
    call_pipeline("klue-eval", "--preset", preset, *FEW, *more, folder=folder)
    before = set((folder / "artifacts/klue").iterdir())
    found = scores_of(measure("labels", preset, folder, *more), "YNAT")
    assert set((folder / "artifacts/klue").iterdir()) == before
    # Noisy copies of the rows don't count.
    said = klue_scores(folder, "tiny/klue", "ynat", "language")
    assert found["words"] == pytest.approx(said)


def test_shots_are_shown_to_every_size_and_to_the_presets_model(folder, preset, monkeypatch):
    monkeypatch.setattr(scaling, "SIZES", (scaling.Size(1, 16, 1), scaling.Size(1, 32, 1)))
    monkeypatch.setattr(scaling, "STEP_SHARES", (1 / 20, 1 / 10))
    measured = measure("shots", preset, folder)
    names = [curve["name"] for curve in measured["panels"][0]["curves"]]
    assert [name.split(", ")[1] for name in names] == ["4 steps", "4 steps", "40 steps"]
    assert len(set(names)) == 3
    prompts = sorted((folder / "artifacts/tiny-claims").glob("shots-*-4"))
    assert len(prompts) == 2
    for number, prompt in enumerate(prompts):
        metrics = json.loads((prompt / "prompt/metrics.json").read_text())
        said = {
            int(shots): figures["mean"]["macro_f1"]
            for shots, figures in metrics["tasks"]["ynat"].items()
        }
        assert scores_of(measured, "YNAT", number) == pytest.approx(said)
    gains = [each for each in measured["differences"] if each["what"].startswith("what 8 shots")]
    assert len(gains) == 2


def test_a_claim_that_is_unknown_is_told_the_nearest_and_none_gives_the_list(folder, capsys):
    with pytest.raises(UserError, match="Did you mean 'layers'"):
        call_pipeline("claim", "--claim", "layer", folder=folder)
    listed = call_pipeline("claim", folder=folder)
    assert all(f"CLAIM={name}" in listed for name in CLAIMS)
