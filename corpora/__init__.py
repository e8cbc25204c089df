"""Korean text: where it comes from, how it is cleaned, and the KLUE tasks as rows. Knows nothing of tokens or models.

Here stands what its modules share: the error for the user, and the way to a dataset on the Hugging Face Hub.
At import only the standard library is needed.
"""
import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 15
"""Seconds of failing requests after which a Hub counts as out of reach; its libraries' own retries take minutes."""
TIMEOUT = 10
"""Seconds that one request may wait for the next byte, as in huggingface_hub's downloads."""
BUILDERS = ("parquet", "json", "csv", "text", "arrow", "cache")
"""Those of datasets' readers that can't be made to read a pickle; cache is what they read earlier, as Arrow files."""


class UserError(Exception):
    """What the user gave is wrong; the message names the file, the line or the setting, and says what to do."""


def hub_builder(dataset: str, config: str, revision: str):
    """datasets' builder of one configuration at exactly this revision; call it and use it within `hub_errors`."""
    _limit_retries()
    import datasets
    import huggingface_hub
    local = Path(dataset).is_dir()
    if not local and not huggingface_hub.is_offline_mode():  # one request without retries; a tag becomes its commit
        revision = huggingface_hub.HfApi().dataset_info(dataset, revision=revision, timeout=TIMEOUT).sha
    builder = datasets.load_dataset_builder(dataset, config or None, revision=revision)
    if not local and builder.hash != revision:  # when the Hub fails, datasets takes what its cache has
        raise ConnectionError(f"only revision {builder.hash} is in the cache")
    if type(builder).__module__.rpartition(".")[2] not in BUILDERS:
        raise ValueError(f"not made of {', '.join(BUILDERS[:-1])} files, the only ones that are read")
    return builder


@contextmanager
def hub_errors(what: str, advice: str) -> Iterator[None]:
    """Turn any failure inside into one UserError: `what` couldn't be read, why, and what to do about it."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # the errors of four libraries arrive here, without a common base
        raise UserError(f"can't read {what} ({first_line(error)}). Check the network and HF_ENDPOINT. "
                        f"{advice}") from None


def first_line(error: Exception) -> str:
    """An exception's kind and the first line of its message."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


@functools.cache
def _limit_retries() -> None:
    """Make this process's requests to the Hub give up after PATIENCE seconds of failures in a row."""
    import datasets
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import httpx
    from huggingface_hub.utils._http import default_client_factory
    failing_since = None

    def make_client():
        client = default_client_factory()
        client.timeout = TIMEOUT  # the default is to wait for ever
        send = client.send

        def send_patiently(request, **options):
            nonlocal failing_since
            start = time.monotonic()
            try:
                response = send(request, **options)
            except httpx.TransportError as error:
                now = time.monotonic()
                if now - start > PATIENCE:  # longer than any wait, so bytes came before it failed
                    failing_since = now
                elif failing_since is None:
                    failing_since = start
                if now - failing_since < PATIENCE:
                    raise
                # not one of the errors at which the libraries try again
                raise ConnectionError(f"failing for {now - failing_since:.0f} s, {first_line(error)}") from error
            failing_since = None
            return response

        client.send = send_patiently
        return client

    set_client_factory(make_client)
    # datasets repeats what the client has given up: 20 times, 5 to 60 s apart
    datasets.config.STREAMING_READ_MAX_RETRIES = datasets.config.STREAMING_OPEN_MAX_RETRIES = 1
    datasets.config.STREAMING_READ_SERVER_UNAVAILABLE_RETRY_INTERVAL = 0
