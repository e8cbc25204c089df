"""NLI's features: what the hypothesis says that the premise doesn't, and what both say."""

from typing import Any

from scipy.sparse import hstack

from corpora.tasks.task import Row
from pipeline.evaluation.baselines.ngrams import count_ngrams


def pair_features(train: list[Row], validation: list[Row]) -> tuple[Any, Any]:
    """Return each split's sparse features (N, F).

    They are the hypothesis's n-grams in two blocks, those that the premise lacks and those that it
    has, so that the sides differ.
    """
    vectorizer = count_ngrams(1, 3, len(train))
    vectorizer.fit([row[side] for row in train for side in ("premise", "hypothesis")])

    def features(rows: list[Row]) -> Any:
        premise_NF = vectorizer.transform([row["premise"] for row in rows])
        hypothesis_NF = vectorizer.transform([row["hypothesis"] for row in rows])
        shared_NF = hypothesis_NF.multiply(premise_NF > 0)
        return hstack([hypothesis_NF - shared_NF, shared_NF]).tocsr()

    return features(train), features(validation)
