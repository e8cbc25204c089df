"""The columns of the corpus stage's Parquet files: its work files, and those of the artifact."""

import pyarrow

from corpora.recipe import Recipe

WORK = pyarrow.schema({"text": "string", "id": "string", "bytes": "int64"})
"""A shard's documents between the two maps."""

TEXT = pyarrow.schema({"text": "string", "source": "string", "id": "string"})
"""Training and validation text. The id is the document's place."""

REJECTS = pyarrow.schema(
    {
        "source": "string",
        "where": "string",
        "reason": "string",
        "text": "string",
        "cluster": "int64",
    }
)
"""What was dropped; of a duplicate its cluster, too."""

CLUSTERS = pyarrow.schema(
    {"cluster": "int64", "documents": "int64", "id": "string", "text": "string"}
)
"""Clusters of equal and near-equal documents: how many, and the one that stayed."""


def equality_columns(recipe: Recipe) -> list[str]:
    """The columns that tell which documents are equal, or alike: 0 is nobody's equal."""
    return ["letters", *(f"band{number:02d}" for number in range(recipe.bands))]


def feature_schema(recipe: Recipe) -> pyarrow.Schema:
    """What the reduce knows of a document, 8 bytes a column.

    xxh3 of the text, its bytes, its letters and digits, and what its equals are told by.
    """
    names = ["text", "bytes", "num_letters", *equality_columns(recipe)]
    return pyarrow.schema(dict.fromkeys(names, "uint64"))
