"""TF-IDF of character n-grams under a linear SVM; for STS, boosted trees on TF-IDF similarities."""

import numpy as np
from sklearn.svm import LinearSVC

from corpora.tasks.task import Row, Task
from pipeline.evaluation.baselines.features import count_ngrams, pair_features, relation_features
from pipeline.evaluation.baselines.similarities import predict_similarity

ABSENT_MARGIN = -1e6  # of a label that train lacks: lower than any real one


def predict_tfidf(task: Task, train: list[Row], validation: list[Row]) -> np.ndarray:
    """Predict by the task's own features: the SVM's margins (N, C) over all labels, or STS scores
    (N,)."""
    if task.regression:
        return predict_similarity(task, train, validation)
    label_N = np.array([task.target(row) for row in train])
    margins_NC = np.full((len(validation), len(task.labels)), ABSENT_MARGIN)
    present = np.unique(label_N)
    if len(present) == 1:
        margins_NC[:, present[0]] = 0
        return margins_NC
    if task.name == "nli":
        train_NF, validation_NF = pair_features(train, validation)
    else:
        if task.entities:
            vectorizer = relation_features(len(train))
        else:
            vectorizer = count_ngrams(1, 5, len(train), lambda row: row["title"], "char_wb")
        train_NF = vectorizer.fit_transform(train)
        validation_NF = vectorizer.transform(validation)
    svm = LinearSVC(C=0.5 if task.entities else 0.25, random_state=0)
    found = svm.fit(train_NF, label_N).decision_function(validation_NF)
    # Of two labels it returns the second one's margins alone.
    margins_NC[:, present] = np.stack([-found, found], 1) if found.ndim == 1 else found
    return margins_NC
