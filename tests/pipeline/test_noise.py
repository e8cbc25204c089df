"""Noise as people make it: the same for the same row, in the texts alone, with RE's entities left where they can be found."""
import unicodedata

import pytest

from corpora.tasks.rows import load_rows
from corpora.tasks.task import ENTITIES, TASKS
from pipeline.evaluation.noise import NEXT, NOISES, noisy


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_some_rows_change_in_their_texts_alone_and_always_alike(task, kind):
    rows = load_rows("sample", task, "validation")
    changed = [noisy(task, row, kind) for row in rows]
    assert changed == [noisy(task, row, kind) for row in reversed(rows)][::-1]
    assert sum(one != other for one, other in zip(rows, changed)) > len(rows) / 4
    for before, after in zip(rows, changed):
        for column in task.texts:
            one, other = before[column], after[column]
            if kind == "spacing":
                assert one.replace(" ", "") == other.replace(" ", "")
            else:
                assert len(one) == len(other)
                assert sum(map(str.__ne__, one, other)) < max(5, len(one) / 4)
        for name in ENTITIES if task.entities else ():
            entity = after[name]
            assert after["sentence"][entity["start_idx"]:entity["end_idx"] + 1] == entity["word"] == before[name]["word"]
        assert after["guid"] == f"{before['guid']} {kind}"
        kept = [column for column in task.columns if column not in ("guid", *task.texts, *ENTITIES)]
        assert [before[column] for column in kept] == [after[column] for column in kept]


def test_a_wrong_key_is_a_neighbour_of_the_right_one():
    beside = {unicodedata.normalize("NFC", key + "\u1161"): [unicodedata.normalize("NFC", other + "\u1161")
              for other in others] for key, others in NEXT.items() if "\u1100" <= key <= "\u1112"}
    assert beside["자"] == ["바", "다"] and beside["마"] == ["나"] and beside["하"] == ["라"]
