"""NLI's features tell which side says what."""

import numpy as np

from pipeline.evaluation.baselines.pair_features import pair_features


def test_the_sides_of_a_pair_are_told_apart():
    rows = [
        {"premise": "가나다", "hypothesis": "라마바"},
        {"premise": "라마바", "hypothesis": "가나다"},
        {"premise": "가나다", "hypothesis": "가나다"},
    ]
    features_NF, _ = pair_features(rows, rows)
    dense_NF = features_NF.toarray()
    assert not np.allclose(dense_NF[0], dense_NF[1])
    assert not np.allclose(dense_NF[1], dense_NF[2])
