"""The KLUE-shaped sample rows: columns, classes, offsets, and nothing shared between train and
validation. How the project reads KLUE rows is tested elsewhere."""

import json
import unicodedata
from itertools import chain
from pathlib import Path

import pytest

KLUE = Path(__file__).parents[2] / "corpora" / "sample" / "klue"
ENTITY = {"word": str, "start_idx": int, "end_idx": int, "type": str}
LABELS = {"label": float, "real-label": float, "binary-label": int}
SCHEMA = {
    "ynat": {"guid": str, "title": str, "label": int, "url": str, "date": str},
    "nli": {"guid": str, "source": str, "premise": str, "hypothesis": str, "label": int},
    "sts": {"guid": str, "source": str, "sentence1": str, "sentence2": str, "labels": LABELS},
    "re": {
        "guid": str,
        "sentence": str,
        "subject_entity": ENTITY,
        "object_entity": ENTITY,
        "label": int,
        "source": str,
    },
}
TEXTS = {"title", "premise", "hypothesis", "sentence1", "sentence2", "sentence"}
TYPES = {"PER", "ORG", "DAT", "LOC", "POH", "NOH"}
tasks = pytest.mark.parametrize("task", SCHEMA)


def read_rows(task: str, split: str) -> list[dict]:
    path = KLUE / task / f"{split}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def read_all_rows(task: str) -> list[dict]:
    return read_rows(task, "train") + read_rows(task, "validation")


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: shape(field) for key, field in value.items()}
    return type(value)


def texts_of(row: dict) -> tuple[str, ...]:
    return tuple(row[name] for name in row if name in TEXTS)


@tasks
def test_every_row_has_the_columns_of_the_hub_in_their_order(task):
    for row in read_all_rows(task):
        assert shape(row) == SCHEMA[task]
        assert list(row) == list(SCHEMA[task])


@pytest.mark.parametrize("task, least", [("ynat", 280), ("nli", 150), ("sts", 100), ("re", 150)])
def test_there_are_enough_rows(task, least):
    assert len(read_all_rows(task)) >= least


@pytest.mark.parametrize("task, allowed, least", [("ynat", 7, 7), ("nli", 3, 3), ("re", 30, 6)])
def test_each_split_has_the_classes_and_train_knows_all_of_them(task, allowed, least):
    train = {row["label"] for row in read_rows(task, "train")}
    validation = {row["label"] for row in read_rows(task, "validation")}
    assert train <= set(range(allowed))
    assert validation <= train
    assert len(validation) >= least


def test_entities_stand_at_their_offsets_with_the_last_index_inside():
    for row in read_all_rows("re"):
        for entity in (row["subject_entity"], row["object_entity"]):
            found = row["sentence"][entity["start_idx"] : entity["end_idx"] + 1]
            assert found
            assert found == entity["word"], row["guid"]
            assert entity["type"] in TYPES, row["guid"]


def test_similarities_are_rounded_and_cut_at_three():
    for row in read_all_rows("sts"):
        labels = row["labels"]
        real = labels["real-label"]
        assert 0 <= real <= 5
        assert labels["label"] == round(real, 1)
        assert labels["binary-label"] == int(real >= 3.0)


@tasks
def test_no_row_stands_twice_and_no_text_in_both_splits(task):
    train = [texts_of(row) for row in read_rows(task, "train")]
    validation = [texts_of(row) for row in read_rows(task, "validation")]
    num_rows = len(train) + len(validation)
    assert len({*train, *validation}) == num_rows
    assert len({row["guid"] for row in read_all_rows(task)}) == num_rows
    assert not set(chain(*train)) & set(chain(*validation))
    assert all(unicodedata.is_normalized("NFC", text) for text in chain(*train, *validation))
