"""Every figure comes from the predictions on disk, and rows are called what they are."""

import shutil

import numpy as np
import pytest

from corpora.tasks.rows import SAMPLE, load_rows
from corpora.tasks.task import TASKS
from pipeline.evaluation.metrics import score
from pipeline.executors import Context
from pipeline.stages import klue
from pipeline.stages.klue.summary import look_up_texts, split_name
from tests.pipeline.stages.klue.read import read_lines, read_metrics, read_table

RE = TASKS["re"]


@pytest.mark.parametrize("name", ["sts", "re"])
def test_the_figures_are_those_of_the_predictions_on_disk(finished, name):
    task = TASKS[name]
    validation = load_rows("sample", task, "validation")
    lines = read_lines(finished / f"predictions/{name}-pretrained-48rows-2.jsonl")
    assert [line["guid"] for line in lines] == [row["guid"] for row in validation]
    assert [line["label"] for line in lines] == [task.target(row) for row in validation]
    output = np.array([line["prediction" if task.regression else "scores"] for line in lines])
    if not task.regression:
        assert output.argmax(1).tolist() == [line["prediction"] for line in lines]
    expected = score(task, np.array([line["label"] for line in lines]), output)
    figures = read_metrics(finished)["tasks"][name]["arms"]["pretrained"]
    assert figures["seeds"]["2"] == pytest.approx(expected)
    both = [figures["seeds"][seed][task.primary] for seed in "12"]
    assert figures["mean"][task.primary] == pytest.approx(np.mean(both))
    assert figures["sd"][task.primary] == pytest.approx(np.std(both, ddof=1))


@pytest.mark.parametrize(
    ("name", "num_rows", "expected"),
    [("re", 3930, "half dev"), ("nli", 3000, "dev"), ("ynat", 9, "part of dev")],
)
def test_real_rows_are_counted_against_the_official_splits(
    settings, tmp_path, name, num_rows, expected
):
    real = settings.model_copy(update={"data": str(tmp_path)})
    assert split_name(TASKS[name], real, num_rows) == expected


def test_only_texts_that_were_looked_for_count_as_decontaminated(model, tmp_path):
    rows = load_rows("sample", RE, "validation")
    more = [*rows, {**rows[0], "sentence": "찾아본 적이 없는 문장이다."}]
    assert look_up_texts(RE, rows[3:], model) == {"all": 42, "looked_for": 42}
    assert look_up_texts(RE, more, model) == {"all": 46, "looked_for": 45}
    assert look_up_texts(RE, rows, tmp_path) == {"all": 45, "looked_for": None}


def test_relations_are_scored_again_without_the_sentences_that_stand_in_train(
    settings, model, tmp_path
):
    data = tmp_path / "klue"
    shutil.copytree(SAMPLE / "re", data / "re")
    train = (data / "re" / "train.jsonl").read_text("utf-8").splitlines()
    with open(data / "re" / "validation.jsonl", "a", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in train[:15])
    changes = {
        "data": str(data),
        "tasks": ("re",),
        "seeds": 1,
        "control": False,
        "train_rows": 0,
    }
    folder = tmp_path / "out"
    klue.run(settings.model_copy(update=changes), {"pretrain": model}, folder, Context())
    tfidf = read_metrics(folder)["tasks"]["re"]["arms"]["tfidf"]
    said = "without the 15 rows whose sentence stands in train, too: majority label F1 0.0"
    assert said in read_table(folder)
    assert tfidf["new_rows"]["micro_f1"] < tfidf["mean"]["micro_f1"]
    lines = read_lines(folder / "predictions/re-tfidf.jsonl")[:-15]
    labels_N = np.array([line["label"] for line in lines])
    scores_NC = np.array([line["scores"] for line in lines])
    assert tfidf["new_rows"] == pytest.approx(score(RE, labels_N, scores_NC))
