"""The table leaves nothing unsaid: whose rows, how many, and what the figures can't show."""

import pytest

from corpora.tasks.task import TASKS
from pipeline.stages.klue import write_pages
from pipeline.stages.klue.arms import ARMS
from tests.pipeline.stages.klue.read import read_table


def page(folder, name, **facts) -> str:
    """The page of one task's results with these facts."""
    result = {
        "split": "dev",
        "rows": {"train": 100, "validation": 3000},
        "cut_rows": {"inputs": 0},
        "absent_labels": [],
        "seen_rows": 0,
        "curve": {},
        "texts": {"all": 1, "looked_for": 1},
        "arms": {},
        **facts,
    }
    settings = {"max_length": 64, "noise": False}
    metrics = {"sample": False, "lacking": [], "settings": settings, "model": "m"}
    write_pages(folder, metrics | {"tasks": {name: result}}, TASKS)
    return read_table(folder)


def test_the_table_of_the_sample_says_so_and_what_is_missing(finished):
    text = read_table(finished)
    title = text.splitlines()[0]
    assert "sample data, not KLUE" in title
    assert "preliminary: 2 seeds" in title


@pytest.mark.parametrize(
    "said",
    [
        "majority label",
        "TF-IDF + linear SVM",
        "random twin",
        "pretrained",
        "STS r, sample",
        "STS F1",
        "RE F1",
        "RE AUPRC",
        " ± ",
        "STS: the pretraining text was not decontaminated against this split",
        "RE: documents with this split's text were removed from the pretraining text",
        "no correlation",
        "RE: labels without a row, left out of AUPRC: ",
        "trained on 48",
    ],
)
def test_the_table_says_what_has_to_be_said(finished, said):
    assert said in read_table(finished)


def test_rows_stand_beside_the_official_number(tmp_path):
    rows = {"train": 32470, "validation": 3930}
    text = page(tmp_path, "re", split="half dev", rows=rows)
    assert "- RE: half dev, 3,930 of 7,765 rows; trained on 32,470 of 32,470\n" in text


def test_cut_rows_are_counted_by_what_was_cut(tmp_path):
    text = page(tmp_path, "nli", cut_rows={"inputs": 3, "prompts": 1200})
    assert (
        "- NLI: dev, 3,000 of 3,000 rows; trained on 100 of 24,998\n"
        "- NLI: inputs of 3 rows were cut to 64 tokens" in text
    )
    expected = "- NLI: prompts of 1,200 rows were cut to 64 tokens or the model's context\n"
    assert expected in text


def test_labels_that_no_row_has_are_named(tmp_path):
    text = page(tmp_path, "ynat", absent_labels=["정치"])
    assert "- YNAT: labels without a row: 정치\n" in text


@pytest.mark.parametrize(
    ("looked_for", "said"),
    [
        (45, "(1 of 46 texts weren't looked for)"),
        (0, "not decontaminated against this split\n"),
        (None, "it isn't known whether"),
        (46, "documents with this split's text were removed"),
    ],
)
def test_it_says_whether_the_text_was_decontaminated(tmp_path, looked_for, said):
    assert said in page(tmp_path, "re", texts={"all": 46, "looked_for": looked_for})


def test_better_and_worse_are_said_by_the_paired_interval(tmp_path):
    figures = {
        "mean": {"accuracy": 50},
        "sd": {"accuracy": None},
        "interval": None,
        "above": {},
        "confusion": [[0] * 3] * 3,
    }
    arms = dict.fromkeys(ARMS, figures)
    above = {"majority": [1.0, 3.0], "tfidf": [-0.4, 2.0], "random": [-3.0, -0.1]}
    arms["pretrained"] = figures | {"above": above}
    assert (
        "- NLI: pretrained, acc: better than majority label [+1.0, +3.0]; no difference shown "
        "from TF-IDF + linear SVM [-0.4, +2.0]; worse than random twin [-3.0, -0.1]\n"
        in page(tmp_path, "nli", arms=arms)
    )
