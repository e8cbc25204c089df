"""Noise as people make it: the same for the same row, in the texts alone, with RE's entities left
where they can be found."""

import unicodedata

import pytest

from corpora.tasks.rows import load_rows
from corpora.tasks.task import ENTITIES, TASKS
from pipeline.evaluation.noise import NEIGHBOURS, NOISES, add_noise
from tests.corpora.tasks.columns import columns_of

EVERY_TASK = pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
EVERY_NOISE = pytest.mark.parametrize("kind", NOISES)


@EVERY_NOISE
@EVERY_TASK
def test_some_rows_change_and_always_alike(task, kind):
    rows = load_rows("sample", task, "validation")
    changed = [add_noise(task, row, kind) for row in rows]
    assert changed == [add_noise(task, row, kind) for row in reversed(rows)][::-1]
    differs = [
        any(before[column] != after[column] for column in task.texts)
        for before, after in zip(rows, changed)
    ]
    assert sum(differs) > len(rows) / 4


@EVERY_NOISE
@EVERY_TASK
def test_rows_change_in_their_texts_alone(task, kind):
    for before in load_rows("sample", task, "validation"):
        after = add_noise(task, before, kind)
        assert after["guid"] == f"{before['guid']} {kind}"
        changing = ("guid", *task.texts, *ENTITIES)
        kept = [column for column in columns_of(task) if column not in changing]
        assert [before[column] for column in kept] == [after[column] for column in kept]


@EVERY_TASK
def test_spacing_changes_spaces_alone(task):
    for before in load_rows("sample", task, "validation"):
        after = add_noise(task, before, "spacing")
        for column in task.texts:
            assert before[column].replace(" ", "") == after[column].replace(" ", "")


@EVERY_TASK
def test_typos_change_few_letters_and_no_length(task):
    for before in load_rows("sample", task, "validation"):
        after = add_noise(task, before, "typos")
        for column in task.texts:
            one = before[column]
            other = after[column]
            assert len(one) == len(other)
            assert sum(map(str.__ne__, one, other)) < max(5, len(one) / 4)


@EVERY_NOISE
def test_entities_stay_and_are_found_where_they_now_stand(kind):
    task = TASKS["re"]
    for before in load_rows("sample", task, "validation"):
        after = add_noise(task, before, kind)
        for name in ENTITIES:
            entity = after[name]
            found = after["sentence"][entity["start_idx"] : entity["end_idx"] + 1]
            assert found == entity["word"] == before[name]["word"]


def test_a_wrong_key_is_a_neighbour_of_the_right_one():
    def syllable(consonant: str) -> str:
        return unicodedata.normalize("NFC", f"{consonant}\u1161")

    beside = {
        syllable(key): [syllable(other) for other in others]
        for key, others in NEIGHBOURS.items()
        if "\u1100" <= key <= "\u1112"
    }
    assert beside["자"] == ["바", "다"]
    assert beside["마"] == ["나"]
    assert beside["하"] == ["라"]
