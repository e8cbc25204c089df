"""The KLUE stage on the sample: every figure comes from files, a stopped run goes on, and nothing goes unsaid."""
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpora.contamination import DECONTAMINATED, fingerprint
from corpora.errors import UserError
from corpora.tasks.rows import SAMPLE, load_rows
from corpora.tasks.task import TASKS
from pipeline.evaluation.metrics import score
from pipeline.executors import Context
from pipeline.reports.render import write_page
from pipeline.settings import SECTIONS
from pipeline.stages import klue
from tests.pipeline.tiny_model import write_bert, write_gpt2

CONTEXT = Context()
SETTINGS = SECTIONS["klue"](data="sample", tasks="sts re", seeds=2, control=True, epochs_sts=1, epochs_re=1, batch_size=16,
                        max_length=64, train_rows=48)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = write_gpt2(tmp_path_factory.mktemp("model"))
    sentences = [row["sentence"] for row in load_rows("sample", TASKS["re"], "validation")]
    (folder / DECONTAMINATED).write_text(json.dumps({"re validation": fingerprint(sentences)}))
    return folder


@pytest.fixture(scope="module")
def finished(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("klue")
    klue.run(SETTINGS, {"pretrain": model}, folder, CONTEXT)
    return folder


def metrics_of(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text("utf-8"))


def test_every_task_has_both_baselines_and_every_arm_and_seed(finished):
    names = sorted(path.stem for path in (finished / "predictions").iterdir())
    assert names == sorted(f"{task}-{run}" for task in ("sts", "re") for run in
                           (f"{arm}-48rows-{seed}" for arm in ("majority", "tfidf", "random", "pretrained")
                                    for seed in (1, 2)))
    runs = [json.loads(line) for line in (finished / "logs/runs.jsonl").read_text().splitlines()]
    assert len(runs) == 16
    assert all(run["seconds"] >= 0 for run in runs)


def test_the_figures_are_those_of_the_predictions_on_disk(finished):
    for task in (TASKS["sts"], TASKS["re"]):
        validation = load_rows("sample", task, "validation")
        lines = [json.loads(line) for line in
                 (finished / f"predictions/{task.name}-pretrained-48rows-2.jsonl").read_text("utf-8").splitlines()]
        assert [line["guid"] for line in lines] == [row["guid"] for row in validation]
        assert [line["label"] for line in lines] == [task.target(row) for row in validation]
        output = np.array([line["prediction" if task.regression else "scores"] for line in lines])
        expected = score(task, np.array([line["label"] for line in lines]), output)
        assert task.regression or output.argmax(1).tolist() == [line["prediction"] for line in lines]
        arm = metrics_of(finished)["tasks"][task.name]["arms"]["pretrained"]
        assert arm["seeds"]["2"] == pytest.approx(expected)
        both = [arm["seeds"][seed][task.primary] for seed in "12"]
        assert arm["mean"][task.primary] == pytest.approx(np.mean(both))
        assert arm["sd"][task.primary] == pytest.approx(np.std(both, ddof=1))


def test_the_table_says_what_has_to_be_said(finished):
    text = (finished / "table.md").read_text("utf-8")
    title = text.splitlines()[0]
    assert "sample data, not KLUE" in title
    assert "preliminary: 2 seeds" in title
    for said in ("majority label", "TF-IDF + linear SVM", "random twin", "pretrained", "STS r", "STS F1", "RE F1",
                 "RE AUPRC", " ± ", "STS: the pretraining text was not decontaminated against this split",
                 "RE: documents with this split's text were removed from the pretraining text", "no correlation", "STS r, sample",
                 "RE: labels without a row, left out of AUPRC: ", "trained on 48"):
        assert said in text, said


def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(finished, model, tmp_path):
    for name in ("sts-pretrained-48rows-1.jsonl", "sts-tfidf-48rows-2.jsonl", "re-random-48rows-2.jsonl"):
        (tmp_path / "predictions").mkdir(exist_ok=True)
        (tmp_path / "predictions" / name).write_bytes((finished / "predictions" / name).read_bytes())
    klue.run(SETTINGS, {"pretrain": model}, tmp_path, CONTEXT)
    for path in finished.rglob("*"):
        if path.is_file() and path.parent.name != "logs":
            assert path.read_bytes() == (tmp_path / path.relative_to(finished)).read_bytes(), path
    assert len((tmp_path / "logs/runs.jsonl").read_text().splitlines()) == 13


def test_a_named_model_is_scored_without_a_pretrained_one_and_one_seed_has_no_spread(model, tmp_path):
    settings = replace(SETTINGS, model=str(model), tasks="nli", seeds=1, control=False, epochs_nli=1)
    counts = klue.run(settings, {}, tmp_path, CONTEXT)
    assert set(counts["nli"]) == {"rows", "majority", "tfidf", "pretrained"}
    text = (tmp_path / "table.md").read_text("utf-8")
    assert "preliminary: 1 seed, no random twin" in text
    assert " ± " not in text.split("\n\n")[1]
    assert str(model) in text


def page(folder, name, **facts):
    """The page of one task's results with these facts."""
    result = {"split": "dev", "rows": {"train": 100, "validation": 3000}, "cut_rows": {"inputs": 0},
              "absent_labels": [], "seen_rows": 0, "curve": {}, "texts": {"all": 1, "looked_for": 1}, "arms": {}, **facts}
    metrics = {"sample": False, "lacking": [], "settings": {"max_length": 64}, "model": "m", "tasks": {name: result}}
    write_page(folder / "table.md", "klue", metrics=metrics, tasks=TASKS, arm_titles=klue.ARMS, noises=[])
    return (folder / "table.md").read_text("utf-8")


def test_real_rows_are_counted_against_the_official_splits(tmp_path):
    settings = replace(SETTINGS, data=str(tmp_path))
    for task, num_rows, expected in (("re", 3930, "half dev"), ("nli", 3000, "dev"), ("ynat", 9, "part of dev")):
        assert klue.split_name(TASKS[task], settings, num_rows) == expected
    half = page(tmp_path, "re", split="half dev", rows={"train": 32470, "validation": 3930})
    assert "- RE: half dev, 3,930 of 7,765 rows; trained on 32,470 of 32,470\n" in half
    cut = page(tmp_path, "nli", cut_rows={"inputs": 3, "prompts": 1200})
    assert "- NLI: dev, 3,000 of 3,000 rows; trained on 100 of 24,998\n- NLI: inputs of 3 rows were cut to 64 tokens" in cut
    assert "- NLI: prompts of 1,200 rows were cut to 64 tokens or the model's context\n" in cut
    assert "- YNAT: labels without a row: 정치\n" in page(tmp_path, "ynat", absent_labels=["정치"])


def test_only_texts_that_were_looked_for_count_as_decontaminated(model, tmp_path):
    rows = load_rows("sample", TASKS["re"], "validation")
    more = [*rows, {**rows[0], "sentence": "찾아본 적이 없는 문장이다."}]
    assert klue.look_up_texts(TASKS["re"], rows[3:], model) == {"all": 42, "looked_for": 42}
    assert klue.look_up_texts(TASKS["re"], more, model) == {"all": 46, "looked_for": 45}
    assert klue.look_up_texts(TASKS["re"], rows, tmp_path) == {"all": 45, "looked_for": None}
    assert "(1 of 46 texts weren't looked for)" in page(tmp_path, "re", texts={"all": 46, "looked_for": 45})
    assert "not decontaminated against this split\n" in page(tmp_path, "re", texts={"all": 46, "looked_for": 0})
    assert "it isn't known" in page(tmp_path, "re", texts={"all": 46, "looked_for": None})


def test_relations_are_scored_again_without_the_sentences_that_stand_in_train(model, tmp_path):
    data = tmp_path / "klue"
    shutil.copytree(SAMPLE / "re", data / "re")
    train = (data / "re" / "train.jsonl").read_text("utf-8").splitlines()
    with open(data / "re" / "validation.jsonl", "a", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in train[:15])
    settings = replace(SETTINGS, data=str(data), tasks="re", seeds=1, control=False, train_rows=0)
    klue.run(settings, {"pretrain": model}, tmp_path / "out", CONTEXT)
    arms = metrics_of(tmp_path / "out")["tasks"]["re"]["arms"]
    assert "without the 15 rows whose sentence stands in train, too: majority label F1 0.0" in (
        tmp_path / "out" / "table.md").read_text("utf-8")
    assert arms["tfidf"]["new_rows"]["micro_f1"] < arms["tfidf"]["mean"]["micro_f1"]
    lines = [json.loads(line) for line in (tmp_path / "out/predictions/re-tfidf.jsonl").read_text("utf-8").splitlines()][:-15]
    expected = score(TASKS["re"], *(np.array([line[key] for line in lines]) for key in ("label", "scores")))
    assert arms["tfidf"]["new_rows"] == pytest.approx(expected)


@pytest.mark.parametrize("change, expected", [
    ({"tasks": "ner"}, "'ner' is unknown"), ({"model": "no-such-folder"}, "no-such-folder: no such folder"),
    ({"data": "no-such-folder"}, "no-such-folder: no such folder")])
def test_a_wrong_setting_stops_before_anything_is_written(model, tmp_path, change, expected):
    with pytest.raises(UserError, match=expected):
        klue.run(replace(SETTINGS, **change), {"pretrain": model}, tmp_path, CONTEXT)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("change", [{"head": "linear joint"}, {"lm_weight": 0.5}])
def test_what_needs_a_causal_model_is_told_before_anything_is_run(tmp_path, change):
    bert = write_bert(tmp_path / "bert")
    with pytest.raises(UserError, match=f"{bert}: no causal language model, as klue.head=linear"):
        klue.run(replace(SETTINGS, **change), {"pretrain": bert}, tmp_path / "out", CONTEXT)
    assert not (tmp_path / "out").exists()


def test_heads_noise_and_the_learning_curve_stand_beside_the_linear_head(model, tmp_path, monkeypatch):
    monkeypatch.setattr(klue, "CURVE", (24, 10_000))
    settings = replace(SETTINGS, head="linear language joint", noise=True, curve=True, seeds=1, train_rows=0)
    klue.run(settings, {"pretrain": model}, tmp_path, CONTEXT)
    tasks = metrics_of(tmp_path)["tasks"]
    for name, result in tasks.items():
        assert list(result["arms"]) == ["majority", "tfidf", "random", "pretrained", "language", "joint"]
        rows = len(load_rows("sample", TASKS[name], "validation"))
        for arm, figures in result["arms"].items():
            assert np.sum(figures["confusion"]) == rows
            assert figures["spacing"].keys() == figures["typos"].keys() == figures["mean"].keys()
            assert list(figures["above"]) == list(result["arms"])[:list(result["arms"]).index(arm)]
        assert {arm: list(sizes) for arm, sizes in result["curve"].items()} == {
            arm: ["24", str(result["rows"]["train"])] for arm in ("tfidf", "random", "pretrained")}
        assert result["curve"]["pretrained"][str(result["rows"]["train"])]["mean"] == result["arms"]["pretrained"]["mean"]
    assert tasks["re"]["arms"]["tfidf"]["spacing"] != tasks["re"]["arms"]["tfidf"]["mean"]
    assert (tmp_path / "learning_curve.png").stat().st_size > 10_000
    text = (tmp_path / "table.md").read_text("utf-8")
    for said in ("| one model for all tasks", "STS: pretrained, language head, r:"):
        assert said in text, said
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    noise = table.index(["clean rows beside noisy ones", "STS r", "spacing", "typos", "RE F1", "spacing", "typos"])
    pretrained = [tasks[name]["arms"]["pretrained"] for name in ("sts", "re")]
    figures = [each[part][metric] for each, metric in zip(pretrained, ("pearson", "micro_f1"))
               for part in ("mean", "spacing", "typos")]
    assert table[noise + 5] == ["pretrained", *(f"{figure:.1f}" for figure in figures)]
    curve = table.index(["RE F1 by labelled rows", "24", str(tasks["re"]["rows"]["train"])])
    assert [row[0] for row in table[curve + 2:]] == ["TF-IDF + linear SVM", "random twin", "pretrained"]
    assert table[curve + 4][2] == f"{pretrained[1]['mean']['micro_f1']:.1f}"
    assert "## RE, random twin" in (tmp_path / "classes.md").read_text("utf-8")
    # One joint run writes every task's predictions.
    runs = [json.loads(line) for line in (tmp_path / "logs/runs.jsonl").read_text().splitlines()]
    assert [run["arm"] for run in runs].count("joint") == 1


def test_held_out_rows_are_train_rows_that_are_not_trained_on(tmp_path):
    data = tmp_path / "klue"
    shutil.copytree(SAMPLE / "nli", data / "nli")
    (data / "nli" / "validation.jsonl").write_text("not read")
    rows = klue.read(TASKS["nli"], replace(SETTINGS, data=str(data), held_out=True))
    both = rows.train + rows.validation
    assert sorted(row["guid"] for row in both) == sorted(row["guid"] for row in load_rows("sample", TASKS["nli"], "train"))
    assert 0 < len(rows.validation) < len(both) / 3
    assert not {row["premise"] for row in rows.train} & {row["premise"] for row in rows.validation}


def test_better_and_worse_are_said_by_the_paired_interval(tmp_path):
    arms = {arm: {"mean": {"accuracy": 50}, "sd": {"accuracy": None}, "interval": None, "above": {}} for arm in klue.ARMS}
    arms["pretrained"]["above"] = {"majority": [1.0, 3.0], "tfidf": [-0.4, 2.0], "random": [-3.0, -0.1]}
    text = page(tmp_path, "nli", arms=arms)
    assert ("- NLI: pretrained, acc: better than majority label [+1.0, +3.0]; no difference shown from TF-IDF + linear SVM "
            "[-0.4, +2.0]; worse than random twin [-3.0, -0.1]\n") in text
