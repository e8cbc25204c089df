"""The settings of every stage: their defaults, their limits, and what each does.

The string under a field is its help, which `make settings` shows. A field marked UNKEYED doesn't
change what a stage makes, but for rounding, and stays out of its key. Named sets of them are in
presets/."""

from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from corpora.settings import KEYED_IF_CHANGED, UNKEYED, Settings, broken_rule, nearest
from corpora.tasks.task import TASKS
from tokenizer.special_tokens import VOCAB_MULTIPLE

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


class CorpusSettings(Settings):
    """What the corpus is made of."""

    recipe: str = "sample"
    """Name of a recipe in corpora/recipes, or path of a .toml file of your own."""


class TokenizerSettings(Settings):
    """How the tokenizer is trained."""

    model_type: Literal["bpe", "unigram"] = "bpe"
    """SentencePiece model: bpe or unigram."""
    vocab_size: int = Field(default=16_384, ge=512, le=1_000_000)
    """Pieces in all, special tokens and the 256 bytes included; a multiple of 128."""
    morphemes: Literal["mecab", "okt", "none"] = "mecab"
    """KoNLPy analyser whose morpheme boundaries no piece may cross in training: mecab, okt or
    none."""
    superwords: int = Field(default=0, ge=0)
    """Pieces, of vocab_size, that may cross spaces and morphemes, learnt in a second pass
    (SuperBPE); bpe only."""
    split_by_unicode_script: bool = True
    """Keep Hangul, Latin, digits and punctuation in pieces of their own; false lets one piece hold
    다. or 2024년."""
    split_digits: bool = False
    """Make every digit a piece of its own."""
    treat_whitespace_as_suffix: bool = False
    """A space belongs to the word before it, not to the one after."""
    character_coverage: float = Field(default=0.9995, ge=0.9, le=1)
    """Share of the sample's characters that get a piece of their own; the others are spelt in
    bytes."""
    sample_bytes: int = Field(default=40_000_000, ge=1)
    """Bytes of training text drawn for SentencePiece."""
    seed: int = Field(default=1, ge=0, le=1_000_000_000)
    """Seed of the draw."""
    init: str = ""
    """Hugging Face folder (or name@commit on the Hub) whose tokenizer is adopted instead of
    trained."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.vocab_size % VOCAB_MULTIPLE:
            raise broken_rule(
                f"vocab_size={self.vocab_size}: has to be a multiple of {VOCAB_MULTIPLE}, special "
                "tokens included."
            )
        most = self.vocab_size // 2 if self.model_type == "bpe" else 0
        if self.superwords > most:
            raise broken_rule(
                f"superwords={self.superwords}: has to be at most half of vocab_size, and 0 "
                "without model_type=bpe."
            )
        return self


class TokensSettings(Settings):
    """The tokens stage has no settings: it encodes the whole corpus."""


class PretrainSettings(Settings):
    """The model, and how it is trained."""

    architecture: Literal["gpt", "gpt2", "gpt3"] = "gpt2"
    """gpt (GPT-1: norms after the blocks), gpt2 (norms before), or gpt3 (every other layer's
    attention banded to a quarter of the context)."""
    layers: int = Field(default=6, ge=1)
    """Transformer blocks."""
    width: int = Field(default=256, ge=1)
    """Size of the hidden states; a multiple of heads."""
    heads: int = Field(default=4, ge=1)
    """Attention heads a block."""
    context: int = Field(default=256, ge=8)
    """Tokens a sequence."""
    tied_head: bool = True
    """One matrix for the embeddings and the head, as in all GPTs, or one for each."""
    init: str = ""
    """Hugging Face folder (or name@commit on the Hub) to continue from, instead of random
    weights."""
    steps: int = Field(default=1000, ge=1)
    """Optimizer steps."""
    batch_size: int = Field(default=16, ge=1)
    """Sequences an optimizer step, over all processes."""
    micro_batch_size: Annotated[int, UNKEYED] = Field(default=16, ge=1)
    """Sequences a forward pass of one process; gradients are accumulated up to batch_size."""
    document_masking: bool = False
    """Attention stays within a document, and positions begin anew with each; gpt2 only."""
    short_steps: int = Field(default=0, ge=0)
    """Sequence-length warm-up: for so many steps the same tokens come as sequences of a quarter of
    the context."""
    optimizer: Literal["muon", "adamw"] = "muon"
    """muon (for the blocks' matrices, AdamW for the rest) or adamw for all."""
    matrix_learning_rate: float = Field(default=0.02, ge=0, le=1)
    """Peak learning rate of Muon."""
    matrix_weight_decay: float | None = Field(default=None, ge=0)
    """Weight decay of Muon's matrices over a whole run: a step at the peak rate takes this over
    `steps` of a weight's value, where the update makes it smaller as well. By default 12, and 0
    where a model is continued (init)."""
    learning_rate: float = Field(default=0.016, ge=0, le=1)
    """Peak learning rate of AdamW; 0.002 is right where optimizer=adamw has all of the model."""
    warmup_steps: int = Field(default=100, ge=0)
    """Steps of linear warm-up; a linear decay to zero follows."""
    weight_decay: float | None = Field(default=None, ge=0)
    """Weight decay of AdamW's matrices, embeddings included, over a whole run: a step at the peak
    rate takes this over `steps` of a weight's value. By default 1.2, and 0 where a model is
    continued (init). None on biases and norms."""
    beta2: float = Field(default=0.95, ge=0, le=0.99999)
    """Second-moment decay of AdamW."""
    clip: float = Field(default=1.0, ge=0)
    """Largest norm of the gradient; 0 doesn't clip."""
    seed: int = Field(default=1, ge=0)
    """Seed of the weights and of the order of the text."""
    precision: Annotated[Literal["auto", "bf16", "fp32"], KEYED_IF_CHANGED] = "auto"
    """auto (bf16 where the hardware has it, else fp32), bf16 or fp32, whose matrix products are in
    TF32 on CUDA."""
    compile: Annotated[bool, UNKEYED] = True
    """Compile the blocks and the loss with torch.compile; worth its start-up from a minute of
    training on."""
    deterministic: Annotated[bool, UNKEYED] = True
    """Deterministic algorithms only, so that a resumed run equals an undisturbed one bit for
    bit."""
    parallel: Annotated[Literal["ddp", "fsdp"], KEYED_IF_CHANGED] = "ddp"
    """With several processes: ddp (every one holds the model) or fsdp (they share it: less memory,
    more to send)."""
    gradient_checkpointing: Annotated[bool, UNKEYED] = False
    """Keep only the blocks' inputs and compute the rest again: a third more time, a fraction of the
    memory; not in gpt."""
    checkpoint_minutes: Annotated[float, UNKEYED] = Field(default=5.0, ge=0)
    """Minutes between checkpoints."""
    keep_checkpoints: Annotated[int, UNKEYED] = Field(default=2, ge=1)
    """Last checkpoints to keep while training, beside the one with the best validation."""
    validations: int = Field(default=8, ge=1)
    """Times the validation text is scored and samples are written, evenly spread over the steps;
    the best of them is kept in best/."""
    log_every: Annotated[int, UNKEYED] = Field(default=10, ge=1)
    """Steps between lines in logs/metrics.jsonl."""
    tracking: Annotated[Literal["none", "tensorboard", "trackio"], UNKEYED] = "none"
    """Where else the metrics go: tensorboard (logs/tensorboard) or trackio (TRACKIO_DIR, or its own
    folder)."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.batch_size % self.micro_batch_size:
            raise broken_rule(
                f"batch_size={self.batch_size}: has to be a multiple of "
                f"pretrain.micro_batch_size={self.micro_batch_size}."
            )
        if self.width % self.heads:
            raise broken_rule(
                f"width={self.width}: has to be a multiple of pretrain.heads={self.heads}."
            )
        phases = {"warmup_steps": self.warmup_steps, "short_steps": self.short_steps}
        for name, value in phases.items():
            if value >= self.steps:
                raise broken_rule(
                    f"{name}={value}: has to be fewer than pretrain.steps={self.steps}."
                )
        needs_quarters = self.short_steps > 0 or self.architecture == "gpt3"
        if needs_quarters and self.context % 4:
            raise broken_rule(
                f"context={self.context}: has to be a multiple of 4 for short_steps and gpt3."
            )
        return self


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
    lm_weight: float = Field(default=0.0, ge=0)
    """Weight of the auxiliary language-model loss of the linear head's inputs; 0.5 in GPT-1's
    paper."""
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
