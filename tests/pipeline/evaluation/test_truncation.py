"""What is kept where there's no room for everything."""

import pytest

from pipeline.evaluation.truncation import cut_around_entities, cut_longer


def test_an_entity_too_long_for_the_room_is_cut_and_still_there():
    parts = cut_around_entities([[1] * 9, [2] * 50, [3] * 9, [4] * 50, [5] * 9], 30)
    assert [len(part) for part in parts] == [0, 10, 9, 10, 1]


def test_a_long_text_between_the_entities_loses_its_middle():
    parts = cut_around_entities([[0], [1], list(range(20)), [2], [3]], 9)
    assert parts == [[], [1], [0, 1, 2, 3, 17, 18, 19], [2], []]


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ((5, 5), (5, 5)),
        ((30, 5), (15, 5)),
        ((5, 30), (5, 15)),
        ((30, 30), (10, 10)),
        ((10, 11), (10, 10)),
    ],
)
def test_the_longer_sentence_is_cut_first(sizes, kept):
    assert tuple(map(len, cut_longer([[1] * sizes[0], [2] * sizes[1]], 20))) == kept
