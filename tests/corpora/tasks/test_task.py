"""KLUE's four tasks as rows, and what they say of an example."""

import subprocess
import sys

import pytest

from corpora.tasks.task import TASKS, entities_in_order, split_at_entities
from tests.conftest import PROJECT

SUBJECT = {"word": "한빛전자", "start_idx": 0, "end_idx": 3, "type": "ORG"}
OBJECT = {"word": "김하늘", "start_idx": 6, "end_idx": 8, "type": "PER"}
SENTENCE = "한빛전자는 김하늘이 세웠다."


def test_the_tasks_are_klues_in_the_order_of_its_paper():
    assert [task.title for task in TASKS.values()] == ["YNAT", "NLI", "STS", "RE"]
    assert [len(task.labels) for task in TASKS.values()] == [7, 3, 0, 30]
    assert [task.primary for task in TASKS.values()] == [
        "macro_f1",
        "accuracy",
        "pearson",
        "micro_f1",
    ]
    assert [task.name for task in TASKS.values() if task.regression] == ["sts"]
    assert [task.name for task in TASKS.values() if task.entities] == ["re"]


def test_a_row_has_the_hubs_columns_and_only_sts_is_read_in_both_orders():
    assert TASKS["nli"].klue_columns == ("guid", "premise", "hypothesis", "label")
    assert TASKS["sts"].klue_columns == ("guid", "sentence1", "sentence2", "labels")
    assert TASKS["re"].klue_columns == (
        "guid",
        "sentence",
        "subject_entity",
        "object_entity",
        "label",
    )
    assert TASKS["nli"].orders == (("premise", "hypothesis"),)
    assert TASKS["sts"].orders == (("sentence1", "sentence2"), ("sentence2", "sentence1"))
    assert TASKS["sts"].target({"label": 4.3}) == 4.3
    assert TASKS["nli"].target({"label": 2}) == 2


@pytest.mark.parametrize(
    "subject, object_, roles, parts",
    [
        (SUBJECT, OBJECT, "SO", ["", "한빛전자", "는 ", "김하늘", "이 세웠다."]),
        (OBJECT, SUBJECT, "OS", ["", "한빛전자", "는 ", "김하늘", "이 세웠다."]),
        (SUBJECT, SUBJECT | {"start_idx": 2, "end_idx": 4}, "SO", ["", "한빛전자", "", "는", " "]),
    ],
)
def test_a_sentence_is_cut_at_its_entities_as_they_stand(subject, object_, roles, parts):
    row = {"sentence": SENTENCE, "subject_entity": subject, "object_entity": object_}
    assert "".join(role for _, role in entities_in_order(row)) == roles
    assert split_at_entities(row)[:4] == parts[:4]
    assert "".join(split_at_entities(row)) == SENTENCE


def test_tasks_and_their_input_files_need_nothing_heavy():
    code = """
import sys
from corpora.tasks.rows import input_files
assert len(input_files("sample")) == 8
assert not {"pyarrow", "numpy", "torch", "datasets", "huggingface_hub"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT)
