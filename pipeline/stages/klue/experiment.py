"""What all runs of the stage work with: the model's reader, every task's rows, and their ids."""

from collections.abc import Callable
from typing import NamedTuple

from corpora.tasks.task import Row, Task
from pipeline.evaluation.inputs import Encoded, Reader
from pipeline.settings import KlueSettings
from pipeline.stages.klue.rows import TaskRows


class EncodedTask(NamedTuple):
    """One task's rows as token ids."""

    train: Encoded
    validation: Encoded


class Experiment:
    """The rows of all tasks, encoded once for the model of the reader."""

    def __init__(
        self, settings: KlueSettings, reader: Reader, rows: dict[str, TaskRows], device: str
    ) -> None:
        """Encode the rows, which are by task, as inputs and, if there's a language head, as
        prompts."""
        self.settings = settings
        self.reader = reader
        self.rows = rows
        self.device = device
        self.inputs = {name: encode_task(each, reader.encode) for name, each in rows.items()}
        self.prompts: dict[str, EncodedTask] = {}
        if settings.head != ("linear",):
            self.prompts = {
                name: encode_task(each, reader.encode_prompts) for name, each in rows.items()
            }

    def count_cut_rows(self, task: Task) -> dict[str, int]:
        """Count the rows that had to be cut, in both splits, as inputs and as prompts."""
        kinds = {"inputs": self.inputs} | ({"prompts": self.prompts} if self.prompts else {})
        return {
            kind: sum(split.num_cut for split in encoded[task.name])
            for kind, encoded in kinds.items()
        }


def encode_task(rows: TaskRows, encode: Callable[[Task, list[Row]], Encoded]) -> EncodedTask:
    """Encode both splits of a task."""
    return EncodedTask(encode(rows.task, rows.train), encode(rows.task, rows.validation))
