"""STS's features: equal sentences are as alike as can be, and numbers are counted."""

import numpy as np

from corpora.tasks.task import TASKS
from pipeline.evaluation.baselines.similarities import similarities

NUM_SHARES = 6 * 3
SHORTER_BY_LONGER, SUM, DIFFERENCE, SAME_ENDING, OTHER_NUMBERS = range(NUM_SHARES, NUM_SHARES + 5)


def test_features_say_how_alike_two_sentences_look():
    pairs = [("비가 3시에 온다.", "비가 3시에 온다."), ("비가 3시에 온다.", "축구 결승 20분!")]
    rows = [{"sentence1": left, "sentence2": right} for left, right in pairs]
    features_NF, _ = similarities(TASKS["sts"], rows, rows)
    equal_F, other_F = features_NF
    assert len(equal_F) == NUM_SHARES + 5
    assert np.allclose(equal_F[:NUM_SHARES], 1)
    assert (other_F[:NUM_SHARES] < 0.5).all()
    assert equal_F[NUM_SHARES:].tolist() == [1, 20, 0, 1, 0]
    assert other_F[SHORTER_BY_LONGER] == 1
    assert (other_F[SAME_ENDING], other_F[OTHER_NUMBERS]) == (0, 2)
    assert (other_F[SUM], other_F[DIFFERENCE]) == (20, 0)
