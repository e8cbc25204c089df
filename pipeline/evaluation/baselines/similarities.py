"""STS's baseline: how alike two sentences look, and boosted trees on that."""

import re
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from corpora.tasks.task import Row, Task

NUMBER = re.compile(r"\d+")


def predict_similarity(task: Task, train: list[Row], validation: list[Row]) -> np.ndarray:
    """Predict scores (N,) by boosted trees on the features of `similarities`."""
    targets_N = np.array([task.target(row) for row in train])
    train_NF, validation_NF = similarities(task, train, validation)
    trees = HistGradientBoostingRegressor(
        learning_rate=0.05, max_iter=300, max_leaf_nodes=15, random_state=0
    )
    # One thread: its hundreds of short parallel loops crawl when another process wants a core, too.
    with threadpool_limits(1, "openmp"):
        scores_N = trees.fit(train_NF, targets_N).predict(validation_NF)
    return np.clip(scores_N, task.lowest, task.highest)


def similarities(
    task: Task, train: list[Row], validation: list[Row]
) -> tuple[np.ndarray, np.ndarray]:
    """Return each split's features (N, 23).

    For n-grams of one to four characters, for words and for unweighted bigrams they are the cosine
    and the share of either side that the other has; then lengths, the sentences' ends, and numbers.
    """
    vectorizers = [
        *(TfidfVectorizer(analyzer="char", ngram_range=(n, n)) for n in (1, 2, 3, 4)),
        TfidfVectorizer(token_pattern=r"\S+"),
        TfidfVectorizer(analyzer="char", ngram_range=(2, 2), use_idf=False),
    ]
    for vectorizer in vectorizers:
        vectorizer.fit([row[side] for side in task.texts for row in train])

    def features(rows: list[Row]) -> np.ndarray:
        lefts, rights = ([row[side] for row in rows] for side in task.texts)
        columns: list[np.ndarray] = []
        for vectorizer in vectorizers:
            columns += _overlap(vectorizer.transform(lefts), vectorizer.transform(rights))
        others = [_compare(left, right) for left, right in zip(lefts, rights)]
        return np.column_stack([*columns, np.array(others)])

    return features(train), features(validation)


def _overlap(left_NV: Any, right_NV: Any) -> list[np.ndarray]:
    """The cosine, and the shares of the left and of the right side that the other has."""
    return [
        _row_sums(left_NV.multiply(right_NV)),
        _row_sums(left_NV.multiply(right_NV > 0)) / np.maximum(_row_sums(left_NV), 1e-9),
        _row_sums(right_NV.multiply(left_NV > 0)) / np.maximum(_row_sums(right_NV), 1e-9),
    ]


def _row_sums(matrix_NV: Any) -> np.ndarray:
    return np.asarray(matrix_NV.sum(1)).ravel()


def _compare(left: str, right: str) -> list[float]:
    """Shorter by longer length, both lengths together and apart, equal ends, other numbers."""
    lengths = sorted((len(left), len(right)))
    return [
        lengths[0] / lengths[1],
        lengths[0] + lengths[1],
        lengths[1] - lengths[0],
        left.strip(" .?!")[-2:] == right.strip(" .?!")[-2:],
        len(set(NUMBER.findall(left)) ^ set(NUMBER.findall(right))),
    ]
