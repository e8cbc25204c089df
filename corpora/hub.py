"""The Hugging Face Hub: data sets at a pinned revision, by requests that end.

Only public parts of huggingface_hub and datasets are used."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from corpora.errors import require

if TYPE_CHECKING:
    from datasets import DatasetBuilder

CHECK: Final = "Check the network and HF_ENDPOINT."
TIMEOUT = 10
"""Seconds that a request may wait for the next byte; huggingface_hub tries five times more, seconds
apart."""
BUILDERS: Final = ("parquet", "json", "csv", "text", "arrow", "cache")
"""Modules of datasets whose builders never unpickle; cache is what they have read."""


def open_builder(dataset: str, config: str, revision: str) -> "DatasetBuilder":
    """Return datasets' builder of one configuration at exactly this revision.

    Call it and use it within `as_user_error`: the errors of four libraries arrive here, without a
    common base. Requests then end; by default they wait for ever.
    """
    import datasets
    import huggingface_hub

    require(
        not Path(dataset).is_dir(),
        f"{dataset}: a folder of this name stands here, and datasets would read it instead of the "
        "Hub. Rename it.",
    )
    _let_requests_end()
    if not huggingface_hub.is_offline_mode():
        # One request without retries; a tag becomes its commit.
        info = huggingface_hub.HfApi().dataset_info(dataset, revision=revision, timeout=TIMEOUT)
        revision = info.sha or revision
    builder = datasets.load_dataset_builder(dataset, config or None, revision=revision)
    if builder.hash != revision:  # when the Hub fails, datasets takes what its cache has
        raise ConnectionError(f"only revision {builder.hash} is in the cache")
    if type(builder).__module__.rpartition(".")[2] not in BUILDERS:
        raise ValueError(
            f"not made of {', '.join(BUILDERS[:-1])} files, the only ones that are read"
        )
    return builder


def _let_requests_end() -> None:
    import huggingface_hub
    from datasets import config

    session = huggingface_hub.get_session()

    def make_session() -> Any:  # of whatever library huggingface_hub uses
        return type(session)(
            event_hooks=session.event_hooks, follow_redirects=True, timeout=TIMEOUT
        )

    huggingface_hub.set_client_factory(make_session)
    # datasets repeats what huggingface_hub has given up: 20 times, 5 to 60 s apart.
    config.STREAMING_READ_MAX_RETRIES = 1
    config.STREAMING_OPEN_MAX_RETRIES = 1
    config.STREAMING_READ_RETRY_INTERVAL = 0
    config.STREAMING_OPEN_RETRY_INTERVAL = 0
    config.STREAMING_READ_SERVER_UNAVAILABLE_RETRY_INTERVAL = 0
