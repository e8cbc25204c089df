"""A row gives the same whatever form its texts were written in."""

import json
import unicodedata

import pytest

from corpora.tasks.composed import compose_row
from corpora.tasks.rows import load_rows
from corpora.tasks.task import ENTITIES, SPLITS, TASKS, split_at_entities

RE = TASKS["re"]


def decompose(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def decompose_row(row: dict, task) -> dict:
    """The row as a program on macOS may write it."""
    decomposed = row | {column: decompose(row[column]) for column in task.texts}
    for column in ENTITIES if task.entities else ():
        entity = row[column]
        start = len(decompose(row["sentence"][: entity["start_idx"]]))
        word = decompose(entity["word"])
        places = {"word": word, "start_idx": start, "end_idx": start + len(word) - 1}
        decomposed[column] = entity | places
    return decomposed


def relation(sentence: str, subject: tuple[int, int], object_: tuple[int, int]) -> dict:
    row: dict = {"guid": "a", "sentence": sentence, "label": 0}
    for column, (start, end) in zip(ENTITIES, (subject, object_)):
        word = sentence[start:end]
        row[column] = {"word": word, "start_idx": start, "end_idx": end - 1, "type": "PER"}
    return row


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_decomposed_rows_are_read_as_the_same_rows_composed(task, tmp_path):
    (tmp_path / task.name).mkdir()
    for split in SPLITS:
        rows = load_rows("sample", task, split)
        decomposed = [decompose_row(row, task) for row in rows]
        if task.regression:
            decomposed = [row | {"labels": {"real-label": row["label"]}} for row in decomposed]
        assert decomposed != rows
        lines = "".join(json.dumps(row) + "\n" for row in decomposed)
        (tmp_path / task.name / f"{split}.jsonl").write_text(lines, "utf-8")
        assert load_rows(str(tmp_path), task, split) == rows


def test_a_row_that_is_composed_is_the_same_object():
    row = relation("한빛은 김하늘의 것", (0, 2), (4, 7))
    assert compose_row(row, RE) is row


def test_an_entity_that_ends_inside_a_syllable_keeps_its_end():
    sentence = decompose("가") + "\u11a8" + decompose("나다")
    row = compose_row(relation(sentence, (0, 2), (3, 5)), RE)
    assert split_at_entities(row) == ["", "가", "\u11a8", "나", "다"]


def test_entities_that_overlap_keep_their_words():
    row = compose_row(relation(decompose("가나다라"), (0, 6), (2, 4)), RE)
    assert (row["sentence"], row["subject_entity"]["word"]) == ("가나다라", "가나다")
    assert row["object_entity"] == {"word": "나", "start_idx": 1, "end_idx": 1, "type": "PER"}
