"""TF-IDF of character n-grams under a linear SVM, or for scores ridge regression; for the scores of
two texts (STS), boosted trees on TF-IDF similarities."""

from operator import itemgetter
from typing import Any

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.svm import LinearSVC

from corpora.tasks.task import Row, Task
from pipeline.evaluation.baselines.features import count_ngrams, pair_features, relation_features
from pipeline.evaluation.baselines.similarities import predict_similarity

ABSENT_MARGIN = -1e6  # of a label that train lacks: lower than any real one


def predict_tfidf(task: Task, train: list[Row], validation: list[Row]) -> np.ndarray:
    """Predict by the task's own features: the SVM's margins (N, C) over all labels, or scores
    (N,)."""
    if task.regression and len(task.texts) == 2:
        return predict_similarity(task, train, validation)
    target_N = np.array([task.target(row) for row in train])
    if task.regression:
        train_NF, validation_NF = _features(task, train, validation)
        scores_N = Ridge(random_state=0).fit(train_NF, target_N).predict(validation_NF)
        return np.clip(scores_N, task.lowest, task.highest)
    margins_NC = np.full((len(validation), len(task.labels)), ABSENT_MARGIN)
    present = np.unique(target_N)
    if len(present) == 1:
        margins_NC[:, present[0]] = 0
        return margins_NC
    train_NF, validation_NF = _features(task, train, validation)
    svm = LinearSVC(C=0.5 if task.entities else 0.25, random_state=0)
    found = svm.fit(train_NF, target_N).decision_function(validation_NF)
    # Of two labels it returns the second one's margins alone.
    margins_NC[:, present] = np.stack([-found, found], 1) if found.ndim == 1 else found
    return margins_NC


def _features(task: Task, train: list[Row], validation: list[Row]) -> tuple[Any, Any]:
    """Each split's sparse features (N, F)."""
    if len(task.texts) == 2:
        return pair_features(task, train, validation)
    if task.entities:
        vectorizer = relation_features(len(train))
    else:
        vectorizer = count_ngrams(1, 5, len(train), itemgetter(task.texts[0]), "char_wb")
    return vectorizer.fit_transform(train), vectorizer.transform(validation)
