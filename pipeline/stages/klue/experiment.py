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
    """The rows of all tasks, by task, encoded once for the model of the reader: as inputs for the
    linear head, as prompts for the others."""

    def __init__(
        self, settings: KlueSettings, reader: Reader, rows: dict[str, TaskRows], device: str
    ) -> None:
        self.settings = settings
        self.reader = reader
        self.rows = rows
        self.device = device
        self.encoded: dict[str, dict[str, EncodedTask]] = {}
        if "linear" in settings.head:
            self.encoded["inputs"] = self._encode(reader.encode)
        if set(settings.head) != {"linear"}:
            self.encoded["prompts"] = self._encode(reader.encode_prompts)

    def _encode(self, encode: Callable[[Task, list[Row]], Encoded]) -> dict[str, EncodedTask]:
        return {
            name: EncodedTask(encode(rows.task, rows.train), encode(rows.task, rows.validation))
            for name, rows in self.rows.items()
        }
