"""Metrics to TensorBoard or trackio while a run goes on; its JSON lines are written whatever is chosen here."""
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from corpora import failing


@contextmanager
def open_tracker(kind: str, logs: Path, run: str, settings: dict) -> Iterator[Callable[[dict], None]]:
    """A function that takes a line of metrics, numbers by name and their step; UserError where a library is missing."""
    with ExitStack() as ending:
        with failing(f"pretrain.tracking={kind} needs an extra", "Run make install EXTRAS=tracking.", ImportError):
            if kind == "tensorboard":
                from torch.utils.tensorboard import SummaryWriter
                writer = ending.enter_context(SummaryWriter(str(logs / "tensorboard"), flush_secs=10))
            elif kind == "trackio":
                import trackio
                trackio.init(project="korean-gpt2", name=run, config=settings, resume="allow")
                ending.callback(trackio.finish)

        def track(values: dict) -> None:
            numbers = {key: value for key, value in values.items() if isinstance(value, int | float) and key != "step"}
            if kind == "tensorboard":
                for name, value in numbers.items():
                    writer.add_scalar(name, value, values["step"])
            elif kind == "trackio":
                trackio.log(numbers, step=values["step"])
        yield track
