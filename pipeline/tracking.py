"""Metrics to TensorBoard or trackio while a run goes on; its JSON lines are written whatever is chosen here."""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from corpora import failing


@contextmanager
def open_tracker(kind: str, logs: Path, run: str, settings: dict) -> Iterator[Callable[[dict], None]]:
    """A function that takes a line of metrics, numbers by name and their step. Raises UserError where what it needs
    isn't installed."""
    with failing(f"pretrain.tracking={kind} needs an extra", "Run make install EXTRAS=tracking.", ImportError):
        if kind == "tensorboard":
            from torch.utils.tensorboard import SummaryWriter
            writer = SummaryWriter(str(logs / "tensorboard"), flush_secs=10)
        elif kind == "trackio":
            import trackio
            trackio.init(project="korean-gpt2", name=run, config=settings, resume="allow")

    def track(values: dict) -> None:
        numbers = {name: value for name, value in values.items() if isinstance(value, (int, float)) and name != "step"}
        if kind == "tensorboard":
            for name, value in numbers.items():
                writer.add_scalar(name, value, values["step"])
        elif kind == "trackio":
            trackio.log(numbers, step=values["step"])
    try:
        yield track
    finally:
        if kind == "tensorboard":
            writer.close()
        elif kind == "trackio":
            trackio.finish()
