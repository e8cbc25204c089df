"""What all runs of the stage work with: the model's reader, every task's rows, and their ids."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from corpora.errors import require
from corpora.tasks.rows import load_task
from corpora.tasks.task import Row, Task
from pipeline.evaluation.inputs import Encoded, Reader
from pipeline.evaluation_settings import KlueSettings
from pipeline.models.folder import MODEL_TYPES
from pipeline.stages.klue.rows import TaskRows, read_rows


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


@functools.lru_cache(maxsize=1)
def open_experiment(settings: str, model: Path, device: str) -> Experiment:
    """Read the model's folder and all rows that KlueSettings, as JSON, want.

    A process does so once for all its runs. Raises UserError for a model or rows that can't be
    used.
    """
    chosen = KlueSettings.model_validate_json(settings)
    reader = Reader(model, chosen.max_length)
    require(
        reader.is_causal or (set(chosen.head) == {"linear"} and not chosen.lm_weight),
        f"{model}: no causal language model, as klue.head={' '.join(chosen.head)} with "
        f"klue.lm_weight={chosen.lm_weight:g} needs.",
    )
    require(
        not chosen.both_ways or reader.config.model_type == "gpt2",
        f"{model}: a {reader.config.model_type}: klue.both_ways=true is for a gpt2.",
    )
    reads_both_ways = chosen.both_ways or getattr(reader.config, "is_causal", True) is False
    require(
        not (reads_both_ways and chosen.lm_weight),
        f"{model}, read both ways: the auxiliary loss of klue.lm_weight is a causal model's.",
    )
    check_transferred_layers(chosen, reader)
    rows = {task.name: read_rows(task, chosen) for task in load_tasks(chosen)}
    return Experiment(chosen, reader, rows, device)


def load_tasks(settings: KlueSettings) -> list[Task]:
    """The tasks that are wanted, as models read them: without words for types, if these are."""
    tasks = [load_task(name) for name in settings.tasks]
    if settings.entity_types:
        return tasks
    return [task.model_copy(update={"entity_types": {}}) for task in tasks]


def check_transferred_layers(settings: KlueSettings, reader: Reader) -> None:
    """Raise UserError for a number of layers that the model hasn't, or that a head can't have."""
    if settings.transferred_layers == "all":
        return
    name = f"klue.transferred_layers={settings.transferred_layers}"
    require(set(settings.head) == {"linear"}, f"{name}: is for klue.head=linear.")
    kind = reader.config.model_type
    known = sorted(MODEL_TYPES.values())
    require(kind in known, f"{name}: is for models of type {', '.join(known)}, not {kind}.")
    num_layers = reader.config.num_hidden_layers
    require(settings.transferred_layers <= num_layers, f"{name}: the model has {num_layers}.")
