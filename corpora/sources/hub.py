"""A data set of the Hugging Face Hub -> documents, streamed at a pinned revision. How requests to
the Hub are made is corpora/hub.py's job."""

import math
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, cast

from corpora.errors import as_user_error
from corpora.hub import CHECK, open_builder
from corpora.recipe import Source
from corpora.sources.formats.columns import needed_columns, to_document
from corpora.sources.records import Records
from corpora.sources.shards import Shard

if TYPE_CHECKING:
    from datasets import IterableDataset


def open_hub(source: Source) -> "IterableDataset":
    """Return a stream of the columns that the source names.

    Raises UserError, within seconds, when the Hub, the data set or a column can't be had.
    """
    with _as_user_error(source):
        builder = open_builder(source.dataset, source.config, source.revision)
        # One split, because one is named.
        stream = cast("IterableDataset", builder.as_streaming_dataset(split=source.subset))
        columns = stream.column_names or list(next(iter(stream), {}))
        return stream.select_columns(needed_columns(source, source.dataset, columns))


def read_hub(shard: Shard) -> Records:
    """Yield one part's documents until its share of the byte budget is read; nothing is kept on
    disk."""
    source = shard.source
    budget = source.byte_budget / shard.num_parts if source.byte_budget else math.inf
    with _as_user_error(source):
        rows = open_hub(source).shard(num_shards=shard.num_parts, index=shard.part)
        for number, row in enumerate(rows, 1):
            record = to_document(source, f"{source.dataset}/{shard.part}:{number}", row)
            if record is not None:
                yield record
                budget -= len(record.text.encode())
            if budget <= 0:
                return


def _as_user_error(source: Source) -> AbstractContextManager[None]:
    what = f"Hub dataset {source.dataset} {source.config} at {source.revision}"
    return as_user_error(
        f"can't read source {source.name!r}: {what}",
        f"{CHECK} Check the recipe's dataset, config, subset and revision. Finished parts are "
        "kept: run it again.",
    )
