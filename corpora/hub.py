"""A Hugging Face dataset of a recipe -> a stream of documents, read over the network and never kept on disk.

Files on this machine are sources.py's job: datasets would serve a changed local folder from its cache.
"""
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpora import UserError
from corpora.recipe import Shard, Source
from corpora.sources import Bad, Document, check_columns, first_line, to_document

BUILDERS = ("parquet", "json", "csv", "text", "arrow")
"""Those of datasets' readers that can't be made to read a pickle."""


def open_hub(source: Source):
    """A source's Hub dataset as datasets' stream; raises one UserError when the Hub or the dataset can't be had."""
    import datasets
    import huggingface_hub
    with _hub_errors(source):
        if not Path(source.dataset).is_dir():  # one request without retries: datasets retries for 24 s
            huggingface_hub.HfApi().dataset_info(source.dataset, revision=source.revision, timeout=15)
        builder = datasets.load_dataset_builder(source.dataset, source.config or None, revision=source.revision)
        if type(builder).__module__.rpartition(".")[2] not in BUILDERS:
            raise UserError(f"source {source.name!r}: {source.dataset} isn't made of {', '.join(BUILDERS)} "
                            "files, the only ones that are read.")
        stream = builder.as_streaming_dataset(split=source.subset)
        check_columns(source, source.dataset, stream.column_names or list(next(iter(stream), {})))
        return stream


@contextmanager
def _hub_errors(source: Source) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # the errors of three libraries arrive here, without a common base
        raise UserError(f"source {source.name!r}: can't read the Hub dataset {source.dataset} {source.config} at "
                        f"revision {source.revision} ({first_line(error)}). Check the network, HF_ENDPOINT and the "
                        "recipe's dataset, config, subset and revision. Finished parts are kept.") from None


def read_hub(shard: Shard) -> Iterator[Document | Bad]:
    """Stream one part of a Hub dataset until its share of the byte budget is read."""
    source, read, number = shard.source, 0, 0
    budget = source.byte_budget / shard.parts or float("inf")
    stream = open_hub(source).select_columns([name for name in (source.text, source.title) if name])
    stream = stream.shard(num_shards=shard.parts, index=shard.part)
    rows = iter(stream)
    while read < budget:
        with _hub_errors(source):
            row = next(rows, None)
        if row is None:
            return
        number += 1
        record = to_document(source, f"{source.dataset}/{shard.part}:{number}", row)
        read += len(record.text.encode("utf-8", errors="replace"))
        yield record
