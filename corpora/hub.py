"""Datasets on the Hugging Face Hub, read through `datasets` at a pinned revision: a recipe's sources, streamed and not
kept on disk, and whole splits for klue.py. A Hub that can't be had ends in one message, in seconds."""
from pathlib import Path

from corpora import failing, require
from corpora.recipe import Shard, Source
from corpora.sources import Records, needed_columns, to_document

CHECK = "Check the network and HF_ENDPOINT."
TIMEOUT = 10  # seconds a request may wait for the next byte; huggingface_hub tries five times more, seconds apart
BUILDERS = ("parquet", "json", "csv", "text", "arrow", "cache")  # readers that never unpickle; cache is what they read


def hub_builder(dataset: str, config: str, revision: str):
    """datasets' builder of one configuration at exactly this revision; call it and use it within `failing`, since the
    errors of four libraries arrive here, without a common base. Requests then end; by default they wait for ever."""
    import datasets
    import huggingface_hub.utils._http

    def make_client():
        client = huggingface_hub.utils._http.default_client_factory()
        client.timeout = TIMEOUT
        return client

    huggingface_hub.set_client_factory(make_client)
    # datasets repeats what huggingface_hub has given up: 20 times, 5 to 60 s apart
    datasets.config.STREAMING_READ_MAX_RETRIES = datasets.config.STREAMING_OPEN_MAX_RETRIES = 1
    datasets.config.STREAMING_READ_RETRY_INTERVAL = datasets.config.STREAMING_OPEN_RETRY_INTERVAL = 0
    datasets.config.STREAMING_READ_SERVER_UNAVAILABLE_RETRY_INTERVAL = 0
    require(not Path(dataset).is_dir(),
            f"{dataset}: a folder of this name stands here, and datasets would read it instead of the Hub.")
    if not huggingface_hub.is_offline_mode():  # one request without retries; a tag becomes its commit
        revision = huggingface_hub.HfApi().dataset_info(dataset, revision=revision, timeout=TIMEOUT).sha
    builder = datasets.load_dataset_builder(dataset, config or None, revision=revision)
    if builder.hash != revision:  # when the Hub fails, datasets takes what its cache has
        raise ConnectionError(f"only revision {builder.hash} is in the cache")
    if type(builder).__module__.rpartition(".")[2] not in BUILDERS:
        raise ValueError(f"not made of {', '.join(BUILDERS[:-1])} files, the only ones that are read")
    return builder


def open_hub(source: Source):
    """A source's columns as datasets' stream; raises UserError when the Hub, the dataset or a column is missing."""
    with _reading(source):
        stream = hub_builder(source.dataset, source.config, source.revision).as_streaming_dataset(split=source.subset)
        names = stream.column_names or list(next(iter(stream), {}))
        return stream.select_columns(needed_columns(source, source.dataset, names))


def read_hub(shard: Shard) -> Records:
    """Stream one part of a Hub dataset until its share of the byte budget is read; nothing is kept on disk."""
    source, budget = shard.source, shard.source.byte_budget / shard.parts or float("inf")
    with _reading(source):
        for number, row in enumerate(open_hub(source).shard(num_shards=shard.parts, index=shard.part), 1):
            if record := to_document(source, f"{source.dataset}/{shard.part}:{number}", row):
                yield record
                budget -= len(record.text.encode("utf-8", errors="replace"))
            if budget <= 0:
                return


def _reading(source: Source):
    what = f"source {source.name!r}: Hub dataset {source.dataset} {source.config} at {source.revision}"
    return failing(f"can't read {what}", f"{CHECK} Check the recipe's dataset, config, subset and revision. "
                   "Finished parts are kept: run it again.")
