"""What the SVM sees of a row, in character n-grams: YNAT's title, NLI's pair, RE's context."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from scipy.sparse import hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_union

from corpora.tasks.task import Row, Task, entities_in_order, split_at_entities

MANY_ROWS = 1000  # from here on, an n-gram has to stand in two rows at least
CONTEXT = 12  # characters kept on each side of an entity: relations are told by what is beside them


def count_ngrams(
    shortest: int,
    longest: int,
    num_rows: int,
    text_of: Callable[[Any], str] = str,
    analyzer: Literal["char", "char_wb"] = "char",
) -> TfidfVectorizer:
    """Make a TF-IDF vectorizer of n-grams of `shortest` to `longest` characters.

    `text_of` finds the text in a row; without it the rows are texts. char_wb keeps n-grams within
    words. `num_rows` are the rows that it will be fitted on.
    """
    return TfidfVectorizer(
        preprocessor=lambda row: text_of(row).lower(),
        analyzer=analyzer,
        sublinear_tf=True,
        ngram_range=(shortest, longest),
        min_df=2 if num_rows > MANY_ROWS else 1,
        dtype=np.float32,  # pyright: ignore[reportArgumentType]  # guessed from the default
    )


def pair_features(task: Task, train: list[Row], validation: list[Row]) -> tuple[Any, Any]:
    """Return each split's sparse features (N, F) for two texts: the second one's n-grams (NLI's
    hypothesis's) in two blocks, those that the first (the premise) lacks and those that it has, so
    that the sides differ."""
    vectorizer = count_ngrams(1, 3, len(train))
    vectorizer.fit([row[side] for row in train for side in task.texts])
    first, second = task.texts

    def features(rows: list[Row]) -> Any:
        premise_NF = vectorizer.transform([row[first] for row in rows])
        hypothesis_NF = vectorizer.transform([row[second] for row in rows])
        shared_NF = hypothesis_NF.multiply(premise_NF > 0)
        return hstack([hypothesis_NF - shared_NF, shared_NF]).tocsr()

    return features(train), features(validation)


def relation_features(num_rows: int) -> FeatureUnion:
    """Make a vectorizer of RE's rows: n-grams of the context with typed marks in the entities'
    places, n-grams of each entity, and the pair of types in its order."""
    types: Any = CountVectorizer  # guesses the types of its arguments from their defaults
    return make_union(
        count_ngrams(1, 4, num_rows, marked_context),
        count_ngrams(1, 3, num_rows, lambda row: row["subject_entity"]["word"]),
        count_ngrams(1, 3, num_rows, lambda row: row["object_entity"]["word"]),
        types(analyzer=lambda row: [" ".join(_roles_and_types(row))], dtype=np.float32),
    )


def marked_context(row: Row) -> str:
    """Return the text around the entities, each of them replaced by its role and type."""
    left, _, middle, _, right = split_at_entities(row)
    first, second = (f"⟦{name}⟧" for name in _roles_and_types(row))
    if len(middle) > 2 * CONTEXT:
        middle = f"{middle[:CONTEXT]}…{middle[-CONTEXT:]}"
    return f"{left[-CONTEXT:]}{first}{middle}{second}{right[:CONTEXT]}"


def _roles_and_types(row: Row) -> list[str]:
    return [f"{role}{entity['type']}" for entity, role in entities_in_order(row)]
