"""What models are evaluated on and how: the settings of the stages klue and prompt. Those of the
other stages are in settings.py."""

from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from corpora.settings import UNKEYED, Settings, broken_rule, nearest
from corpora.tasks.task import TASKS

EPOCHS = {"ynat": 2, "nli": 2, "sts": 4, "re": 2}
OTHER_EPOCHS = 2
"""On a task of one's own."""

Head = Literal["linear", "language", "joint"]


def known_tasks(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names without repetitions, each of them one of KLUE's or a .toml file's."""
    known = f"Choose among {' '.join(TASKS)}, or name a .toml file of your own."
    for name in names:
        if name not in TASKS and not name.endswith(".toml"):
            raise broken_rule(f"task {name!r} is unknown. {known}{nearest(name, TASKS)}")
    if not names:
        raise broken_rule(f"No task is named. {known}")
    unique = tuple(dict.fromkeys(names))
    short = [task_name(name) for name in unique]
    if len(set(short)) < len(short):
        raise broken_rule(f"tasks={list(unique)}: no two may have the same name.")
    return unique


def task_name(name: str) -> str:
    """What a task is called: KLUE's name, or that of its file."""
    return PurePath(name).stem if name.endswith(".toml") else name


TaskNames = Annotated[tuple[str, ...], AfterValidator(known_tasks)]


class TaskSettings(Settings):
    """Which labelled rows a model is evaluated on."""

    data: Annotated[str, UNKEYED] = "hub"
    """KLUE: sample (this project's own rows), hub (klue/klue at a pinned revision), or a folder;
    its content is keyed."""
    tasks: TaskNames = tuple(TASKS)
    """Tasks to run, separated by spaces: KLUE's, and .toml files of one's own."""

    def keyed(self) -> dict[str, Any]:
        """Return the settings that change a stage's bytes: a task's file counts by its content, not
        by where it lies."""
        return super().keyed() | {"tasks": [task_name(name) for name in self.tasks]}


class KlueSettings(TaskSettings):
    """What is fine-tuned on KLUE, and how."""

    seeds: int = Field(default=3, ge=1)
    """Fine-tuning runs a task, with seeds 1, 2, ..."""
    control: bool = True
    """Also fine-tune the linear head's random twin: the same model with random weights."""
    baselines: bool = True
    """Also score the majority's label and TF-IDF with a linear model."""
    epochs: dict[str, Annotated[int, Field(ge=1)]] = EPOCHS
    """Epochs on each task, 2 on one that isn't named; of a task whose texts mean the same in either
    order, as STS, half of them in each order."""
    batch_size: int = Field(default=32, ge=1)
    """Rows an optimizer step."""
    learning_rate: float = Field(default=0.0003, ge=0, le=1)
    """Peak learning rate of AdamW."""
    max_length: int = Field(default=256, ge=16)
    """Longest input in tokens; longer ones are cut."""
    least_steps: int = Field(default=0, ge=0)
    """Optimizer steps at least, however few rows there are."""
    head: tuple[Head, ...] = ("linear",)
    """linear (on the last token's context vector, beside its random twin), language (the label's
    word after a prompt) or joint (language, one model for all tasks, all rows equally often);
    several of them separated by spaces."""
    both_ways: bool = False
    """Fine-tune a GPT-2 that reads both ways, as one that was pretrained with pretrain.masked_share
    can: the whole input before a linear head, the prompt before a word."""
    lm_weight: float = Field(default=0.0, ge=0)
    """Weight of the auxiliary language-model loss of the linear head's inputs; 0.5 in GPT-1's
    paper."""
    lm_share: float = Field(default=1.0, gt=0, le=1)
    """Share of each batch's rows that the auxiliary loss is taken of: it costs a third of a step on
    all of them."""
    transferred_layers: Annotated[int, Field(ge=0)] | Literal["all"] = "all"
    """Layers of the pretrained model that linear heads are fine-tuned with, from the first one on;
    the others begin at random, as do all of 0, which keeps the embeddings alone."""
    entity_types: bool = True
    """RE's model reads the words for its entities' types, as the TF-IDF baseline does; published
    figures of KLUE-RE are without."""
    noise: bool = False
    """Also score copies of the validation rows with wrong spaces and with typos."""
    curve: bool = False
    """Also fine-tune the linear head on 100, 300, 1,000, 3,000 and 10,000 rows, and plot the
    scores."""
    held_out: bool = False
    """Score an eighth of train, which isn't trained on, in place of validation: for choosing
    settings."""
    train_rows: int = Field(default=0, ge=0)
    """Rows of the train split to use, drawn with the seed; 0 is all of them."""
    keep_models: Literal["first", "all", "none"] = "first"
    """Which fine-tuned models are kept, as Hugging Face folders in models/: first (of seed 1), all
    or none; a random twin's never are."""
    model: str = ""
    """Hugging Face folder (or name@commit on the Hub) to evaluate instead of the pretrained
    model."""

    @field_validator("head")
    @classmethod
    def _has_a_head(cls, heads: tuple[Head, ...]) -> tuple[Head, ...]:
        if not heads:
            raise broken_rule("head=: has to be of linear, language and joint.")
        return heads

    @field_validator("epochs", mode="before")
    @classmethod
    def _has_epochs_for_every_task(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return EPOCHS | given

    @model_validator(mode="after")
    def _counts_epochs_of_its_tasks(self) -> Self:
        known = [*EPOCHS, *map(task_name, self.tasks)]
        for name in self.epochs:
            if name not in known:
                raise broken_rule(f"epochs: unknown task {name!r}.{nearest(name, known)}")
        return self

    def epochs_of(self, name: str) -> int:
        """Epochs on the task of this name."""
        return self.epochs.get(name, OTHER_EPOCHS)


class PromptSettings(TaskSettings):
    """What a model is asked without training."""

    shots: tuple[Annotated[int, Field(ge=0)], ...] = (0, 1, 8)
    """Labelled rows shown before the question, from train; as many whole ones of them as the
    context holds."""
    seeds: int = Field(default=2, ge=1)
    """Draws of the shots, with seeds 1, 2, ..."""
    rows: int = Field(default=500, ge=0)
    """Validation rows to ask, drawn once for all models; 0 is all of them."""
    batch_size: Annotated[int, UNKEYED] = Field(default=32, ge=1)
    """Sequences a forward pass."""
    model: str = ""
    """Hugging Face folder (or name@commit on the Hub) of a causal model to ask instead of the
    pretrained one."""

    @field_validator("shots")
    @classmethod
    def _asks_something(cls, shots: tuple[int, ...]) -> tuple[int, ...]:
        if not shots:
            raise broken_rule("shots=: has to be one or several numbers, such as '0 1 8'.")
        return shots
