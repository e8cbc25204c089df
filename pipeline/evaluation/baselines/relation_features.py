"""RE's features: the text beside the entities, the entities themselves, and their types."""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import FeatureUnion, make_union

from corpora.tasks.task import Row, entities_in_order, split_at_entities
from pipeline.evaluation.baselines.ngrams import count_ngrams

CONTEXT = 12
"""Characters kept on each side of an entity: relations are told by what stands beside them."""


def relation_features(num_rows: int) -> FeatureUnion:
    """Make a vectorizer of rows: n-grams of the context with typed marks in the entities' places,
    n-grams of each entity, and the pair of types in its order."""
    return make_union(
        count_ngrams(1, 4, num_rows, marked_context),
        count_ngrams(1, 3, num_rows, lambda row: row["subject_entity"]["word"]),
        count_ngrams(1, 3, num_rows, lambda row: row["object_entity"]["word"]),
        CountVectorizer(
            analyzer=_pair_of_types,  # pyright: ignore[reportArgumentType]  # guessed from
            dtype=np.float32,  # pyright: ignore[reportArgumentType]  # their defaults
        ),
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


def _pair_of_types(row: Row) -> list[str]:
    return [" ".join(_roles_and_types(row))]
