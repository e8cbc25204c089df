"""The SVM sees which side says what, and entities by role and type."""

import numpy as np

from corpora.tasks.task import TASKS
from pipeline.evaluation.baselines.features import marked_context, pair_features
from tests.pipeline.evaluation.relations import relation


def test_the_sides_of_a_pair_are_told_apart():
    rows = [
        {"premise": "가나다", "hypothesis": "라마바"},
        {"premise": "라마바", "hypothesis": "가나다"},
        {"premise": "가나다", "hypothesis": "가나다"},
    ]
    features_NF, _ = pair_features(TASKS["nli"], rows, rows)
    dense_NF = features_NF.toarray()
    assert not np.allclose(dense_NF[0], dense_NF[1])
    assert not np.allclose(dense_NF[1], dense_NF[2])


def test_entities_are_replaced_by_role_and_type_and_particles_stay():
    row = relation("지난해 한빛전자는 김하늘이 세웠다.", "한빛전자", "김하늘")
    assert marked_context(row) == "지난해 ⟦SORG⟧는 ⟦OPER⟧이 세웠다."


def test_what_is_far_from_both_entities_is_left_out():
    sentence = f"{'가' * 20}김하늘{'나' * 30}한빛전자{'다' * 20}"
    expected = f"{'가' * 12}⟦OPER⟧{'나' * 12}…{'나' * 12}⟦SORG⟧{'다' * 12}"
    assert marked_context(relation(sentence, "한빛전자", "김하늘")) == expected
