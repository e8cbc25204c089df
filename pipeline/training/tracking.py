"""Where a run's metrics go: always to JSON lines, which a resumed run continues, and to TensorBoard
or trackio where the settings say so. What the metrics are is trainer.py's to say."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from tqdm import tqdm

from corpora.errors import as_user_error
from pipeline.artifacts.files import append_json, write_text
from pipeline.settings import PretrainSettings

Tracker = Callable[[dict[str, Any]], None]
"""Shows a line of metrics, among them its step."""


def no_tracker(values: dict[str, Any]) -> None:
    """Show nothing."""


class MetricsLog:
    """A run's metrics as JSON lines, each of which a tracker is shown as well.

    Of several processes the first one writes; the others' logs take no notice.
    """

    def __init__(self, path: Path, tracker: Tracker, is_writer: bool) -> None:
        self.path = path
        self.tracker = tracker
        self.is_writer = is_writer

    def add(self, **values: Any) -> None:
        """Append a line."""
        if self.is_writer:
            append_json(self.path, **values)
            self.tracker(values)

    def rewind(self, step: int) -> None:
        """Drop the lines of later steps, which will be done again, and half a line at the end."""
        if not (self.is_writer and self.path.exists()):
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        complete = [line for line in lines if line.endswith("\n")]
        kept = [line for line in complete if json.loads(line)["step"] <= step]
        write_text(self.path, "".join(kept))


def progress_bar(num_steps: int, num_done: int, is_shown: bool) -> tqdm:
    """A bar over a run's steps; quiet where there's no terminal."""
    return tqdm(
        total=num_steps,
        initial=num_done,
        desc="pretrain",
        unit="step",
        disable=None if is_shown else True,
    )


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All lines of a log."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def open_tracker(
    settings: PretrainSettings, folder: Path, is_writer: bool
) -> AbstractContextManager[Tracker]:
    """The tracker that the settings name, while the context is open.

    Raises UserError where its library is missing.
    """
    if is_writer and settings.tracking == "tensorboard":
        return tensorboard(folder / "logs" / "tensorboard")
    if is_writer and settings.tracking == "trackio":
        return trackio_run(folder.stem, settings)
    return nullcontext(no_tracker)


@contextmanager
def tensorboard(folder: Path) -> Iterator[Tracker]:
    """Write what TensorBoard reads."""
    with needs_extra("tensorboard"):
        from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder), flush_secs=10) as writer:

        def track(values: dict[str, Any]) -> None:
            for name, value in numbers_in(values).items():
                writer.add_scalar(name, value, values["step"])

        yield track


@contextmanager
def trackio_run(name: str, settings: PretrainSettings) -> Iterator[Tracker]:
    """Log to a run of trackio's project korean-gpt2, or go on with the run of this name."""
    with needs_extra("trackio"):
        import trackio  # pyright: ignore[reportMissingImports]  # an extra
    trackio.init(project="korean-gpt2", name=name, config=settings.model_dump(), resume="allow")

    def track(values: dict[str, Any]) -> None:
        trackio.log(numbers_in(values), step=values["step"])

    try:
        yield track
    finally:
        trackio.finish()


def needs_extra(kind: str) -> AbstractContextManager[None]:
    """Turn a failed import into a message that says how to install the library."""
    what = f"pretrain.tracking={kind} needs an extra"
    return as_user_error(what, "Run make install EXTRAS=tracking.", ImportError)


def numbers_in(values: dict[str, Any]) -> dict[str, int | float]:
    """The metrics of a line, without its step and its words."""
    return {
        key: value
        for key, value in values.items()
        if isinstance(value, int | float) and key != "step"
    }
