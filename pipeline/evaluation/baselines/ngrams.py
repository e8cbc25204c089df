"""Character n-grams, weighted by TF-IDF, which the baselines' features are made of."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

MANY_ROWS = 1000
"""From here on, an n-gram has to stand in two rows at least."""


def count_ngrams(
    shortest: int,
    longest: int,
    num_rows: int,
    text_of: Callable[[Any], str] = str,
    analyzer: Literal["char", "char_wb"] = "char",
) -> TfidfVectorizer:
    """Make a vectorizer of the n-grams, `shortest` to `longest` characters, of a row's text.

    `text_of` finds that text in a row; without it the rows are texts. char_wb keeps n-grams within
    words. `num_rows` are the rows that it will be fitted on.
    """

    def lower_text(row: Any) -> str:
        return text_of(row).lower()

    return TfidfVectorizer(
        preprocessor=lower_text,
        analyzer=analyzer,
        sublinear_tf=True,
        ngram_range=(shortest, longest),
        min_df=2 if num_rows > MANY_ROWS else 1,
        dtype=np.float32,  # pyright: ignore[reportArgumentType]  # guessed from the default
    )
