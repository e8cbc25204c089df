"""The fine-tuned models that the stage keeps, of KLUE's tasks and one's own, and `make predict`."""

import json
from pathlib import Path

import numpy as np
import pytest
from transformers import pipeline

from corpora.errors import UserError
from corpora.tasks.rows import load_rows, load_task
from corpora.tasks.task import Task, typed_word
from pipeline.artifacts import store
from pipeline.artifacts.digests import digest_of
from pipeline.artifacts.manifest import Origin
from pipeline.evaluation.inputs import MARKERS
from pipeline.evaluation.saved.answers import SavedModel
from pipeline.evaluation_settings import KlueSettings
from pipeline.executors import Context
from pipeline.stages import klue
from pipeline.tools.predict import predict
from tests.pipeline.stages.klue.read import read_lines, read_metrics, read_table

OWN = """
title = "날씨"
texts = ["document"]
labels = ["0", "1"]
label_names = ["흐림", "맑음"]
metrics = ["accuracy", "mcc"]
licence = "CC0"
train = ["rows.tsv"]
held_out = 0.3
prompts = ["{document}\\n하늘:"]
words = ["흐림", "맑음"]
"""
HEADS = ("linear", "language")


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> str:
    """A task of one's own."""
    folder = tmp_path_factory.mktemp("own")
    words = ["비가 온다", "해가 난다"]
    lines = [f"{number}번째 날 {words[number % 2]}\t{number % 2}" for number in range(60)]
    (folder / "rows.tsv").write_text("\n".join(["document\tlabel", *lines]), "utf-8")
    (folder / "weather.toml").write_text(OWN, "utf-8")
    return str(folder / "weather.toml")


@pytest.fixture(scope="module")
def kept(own, model, tmp_path_factory) -> Path:
    """The stage's folder after two seeds of three heads on four tasks."""
    settings = KlueSettings(
        data="sample",
        tasks=("ynat", "sts", "re", own),
        head=("linear", "language", "joint"),
        seeds=2,
        epochs={"weather": 8},
        batch_size=16,
        learning_rate=2e-3,
        max_length=96,
        control=False,
        train_rows=40,
    )
    root = tmp_path_factory.mktemp("artifacts")
    origin = Origin(1, {}, {}, {})
    key = digest_of(["klue", origin._asdict()])[:16]

    def run(folder: Path) -> dict:
        return klue.run(settings, {"pretrain": model}, folder, Context())

    artifact = store.build(root, "klue", key, origin, run)
    store.link(root, "demo", artifact, "klue")
    return root / "demo" / "klue"


def test_the_first_seeds_model_of_every_head_is_kept(kept):
    names = {f"{task}-{head}" for task in ("ynat", "sts", "re", "weather") for head in HEADS}
    assert {path.name for path in (kept / "models").iterdir()} == names | {"joint"}


def rows_of(task, own) -> list[dict]:
    found = load_task(own if task == "weather" else task)
    rows = load_rows("sample", found, "validation")
    if not found.entities:
        return rows
    return [{"sentence": mark(row, found)} for row in rows]


def mark(row: dict, task: Task) -> str:
    """The sentence with marks, put in from the right."""
    sentence = row["sentence"]
    spans = {"subject_entity": MARKERS[:2], "object_entity": MARKERS[2:]}
    for column in sorted(spans, key=lambda name: -row[name]["start_idx"]):
        start, end = row[column]["start_idx"], row[column]["end_idx"] + 1
        opening, closing = spans[column]
        word = typed_word(row, task, column)
        sentence = sentence[:start] + opening + word + closing + sentence[end:]
    return sentence


@pytest.mark.parametrize("task", ["ynat", "sts", "re", "weather"])
@pytest.mark.parametrize("head", ["linear", "language", "joint"])
def test_a_kept_model_answers_as_it_was_scored(kept, own, task, head):
    arm = {"linear": "pretrained"}.get(head, head)
    said = read_lines(kept / f"predictions/{task}-{arm}-40rows-1.jsonl")
    saved = SavedModel(kept / "models" / (head if head == "joint" else f"{task}-{head}"), "cpu")
    (asked,) = [each for each in saved.tasks if each.name == task]
    found = saved.answer(asked, rows_of(task, own))
    expected = np.array([row.get("scores", row["prediction"]) for row in said])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_an_own_task_has_the_table_the_baselines_and_a_model_that_is_right(kept, own):
    figures = read_metrics(kept)["tasks"]["weather"]
    assert figures["arms"]["pretrained"]["mean"]["accuracy"] == 100
    assert figures["arms"]["pretrained"]["mean"]["mcc"] == 100
    assert set(figures["arms"]) == {"majority", "tfidf", "pretrained", "language", "joint"}
    table = read_table(kept)
    assert "날씨 acc, held out of train" in table
    assert "날씨: held out of train, " in table
    classify = pipeline("text-classification", str(kept / "models/weather-linear"), device="cpu")
    assert classify("7번째 날 해가 난다")[0]["label"] == "맑음"
    assert "| 맑음 |" in (kept / "classes.md").read_text("utf-8")


def test_a_card_says_what_was_trained_and_how_good_it_is(kept):
    for folder in (kept / "models").iterdir():
        card = (folder / "README.md").read_text("utf-8")
        assert "THIS_FOLDER" in card
        assert "sample data" in card
    card = (kept / "models/re-linear/README.md").read_text("utf-8")
    assert "<subj>" in card
    assert "| RE | 40 rows |" in card
    assert "CC0" in (kept / "models/weather-linear/README.md").read_text("utf-8")
    assert "both orders" in (kept / "models/sts-linear/README.md").read_text("utf-8")


@pytest.mark.parametrize(("keep", "expected"), [("none", set()), ("all", {"", "-seed2"})])
def test_all_models_are_kept_or_none(own, model, tmp_path, keep, expected):
    settings = KlueSettings(
        data="sample", tasks=(own,), seeds=2, epochs={"weather": 1}, keep_models=keep
    )
    klue.run(settings, {"pretrain": model}, tmp_path, Context())
    names = {path.name for path in tmp_path.glob("models/*")}
    assert names == {f"weather-linear{seed}" for seed in expected}


def ask(kept, capsys, **options) -> str:
    predict(**options, artifacts=kept.parent.parent)
    return capsys.readouterr().out


def test_predict_says_the_likeliest_label_first(kept, own, capsys):
    lines = ask(kept, capsys, task="weather", text="3번째 날 비가 온다").splitlines()
    assert [line.split()[1] for line in lines] == ["흐림", "맑음"]
    assert float(lines[0].split()[0]) > 0.5
    assert ask(kept, capsys, task=own, text="3번째 날 비가 온다").splitlines() == lines


def test_predict_answers_every_row_of_a_file(kept, own, capsys):
    rows = Path(own).with_name("rows.tsv")
    found = [json.loads(line) for line in ask(kept, capsys, task="weather", file=rows).splitlines()]
    assert len(found) == 60
    assert found[0]["document"] == "0번째 날 비가 온다"
    assert sum(found[0]["shares"].values()) == pytest.approx(1, abs=1e-4)
    assert [each["label"] for each in found[:2]] == ["흐림", "맑음"]


def test_predict_takes_a_text_a_line(kept, tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("비가 온다\n해가 난다\n", "utf-8")
    out = ask(kept, capsys, task="weather", file=tmp_path / "texts.txt", head="language")
    assert [json.loads(line)["document"] for line in out.splitlines()] == ["비가 온다", "해가 난다"]


def test_predict_reads_marks_and_pairs(kept, capsys):
    sentence = "지난해 <obj>김하늘</obj>이 <subj>한빛전자</subj>를 세웠다."
    assert len(ask(kept, capsys, task="re", text=sentence).splitlines()) == 30
    assert float(ask(kept, capsys, task="sts", text="비가 온다", text2="비가 온다"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"give a text with TEXT="),
        ({"task": "nli", "text": "a"}, r"no such model. There are: joint, re-language, re-linear"),
        ({"text": "a"}, r"say which task with TASK=. There are models: joint"),
        ({"task": "sts", "text": "a"}, r"wants 2 texts \(sentence1, sentence2\), not 1"),
        ({"task": "re", "text": "김하늘"}, r"mark the two entities: <subj>"),
        ({"task": "re", "text": "<subj>a</obj><obj>b</subj>"}, r"mark the two entities"),
        ({"task": "re", "text": "<subj></subj><obj>b</obj>"}, r"nothing behind <subj>"),
        ({"head": "joint", "task": "nli", "text": "a"}, r"is a model for ynat, sts, re, weather"),
    ],
)
def test_predict_says_what_is_wrong(kept, options, message):
    with pytest.raises(UserError, match=message):
        predict(**options, artifacts=kept.parent.parent)


def test_predict_takes_a_folder_of_its_own(kept, tmp_path, capsys):
    out = ask(kept, capsys, model=str(kept / "models/ynat-linear"), text="축구 결승")
    assert len(out.splitlines()) == 7
    with pytest.raises(UserError, match=r"no fine-tuned model of `make klue-eval`"):
        predict(model=str(tmp_path), text="축구", artifacts=tmp_path)
