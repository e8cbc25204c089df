"""A stage that writes a text and a log, for the tests of the stage contract."""

import time
from pathlib import Path
from typing import Any

from pipeline.artifacts.manifest import Origin

ORIGIN = Origin(version=1, settings={}, inputs={}, raw_files=[])


def write_one(folder: Path) -> dict[str, Any]:
    """Write a.txt, and a log that is another each time."""
    (folder / "a.txt").write_text("가")
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs" / "time.txt").write_text(str(time.monotonic_ns()))
    return {"documents": 1}
