"""The majority baseline knows train's labels and nothing else."""

import numpy as np

from pipeline.evaluation.baselines.majority import predict_majority
from tests.pipeline.evaluation.baselines.samples import sample, targets


def test_it_is_the_commonest_label_of_train():
    task, train, validation = sample("nli")
    train = [row | {"label": 2} for row in train[:3]] + [row | {"label": 1} for row in train[3:5]]
    assert predict_majority(task, train, validation).tolist() == [2] * len(validation)


def test_it_is_the_mean_similarity():
    task, train, validation = sample("sts")
    assert np.allclose(predict_majority(task, train, validation), targets(task, train).mean())
