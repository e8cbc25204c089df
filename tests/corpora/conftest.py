"""A Hub that works, for all tests of what is read from one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.corpora.hub_client import Answer, ask
from tests.corpora.hub_data import write_hub
from tests.corpora.hub_server import serve


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Hub."""
    folder = tmp_path_factory.mktemp("hub")
    write_hub(folder)
    return folder


@pytest.fixture(scope="session")
def ask_hub(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Answer]]:
    """Asks a Hub that works, in one new process for all requests of a call."""

    def ask_it(*requests: dict) -> list[Answer]:
        with serve(hub) as server:
            return ask(server.server_port, tmp_path_factory.mktemp("home"), *requests)

    return ask_it
