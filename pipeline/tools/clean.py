"""`make clean`: remove unfinished work. Finished artifacts stay."""

import shutil

from pipeline import cli_options
from pipeline.artifacts.locks import locked
from pipeline.tools.status import megabytes


def clean(artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS) -> None:
    """Remove unfinished work that no command is working on."""
    for partial in sorted(artifacts.glob("*/*.partial")):
        lock = artifacts / ".locks" / f"{partial.parent.name}-{partial.stem}"
        try:
            with locked(lock, wait=False):
                print(f"removing {partial} ({megabytes(partial)})")
                shutil.rmtree(partial)
        except BlockingIOError:
            print(f"{partial}: a command is working on it; left alone")
