"""The settings of the stages up to pretraining (evaluation_settings.py has those of the others):
their defaults, their limits, and what each does.

The string under a field is its help, which `make settings` shows. A field marked UNKEYED doesn't
change what a stage makes, but for rounding, and stays out of its key. Named sets of them are in
presets/."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from corpora.settings import KEYED_IF_CHANGED, UNKEYED, Settings, broken_rule
from tokenizer.special_tokens import VOCAB_MULTIPLE

WeightDecay = Annotated[float, Field(ge=0)] | Literal["auto"]


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

    architecture: Literal["gpt", "gpt2", "gpt3", "bert"] = "gpt2"
    """gpt (GPT-1: norms after the blocks), gpt2 (norms before), gpt3 (every other layer's attention
    banded to a quarter of the context), or bert (reads both ways, and predicts hidden words)."""
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
    masked_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the steps in which a gpt2 reads both ways and predicts hidden words, each from the
    token before it; the others are as usual."""
    mask_rate: float = Field(default=0.15, gt=0, lt=1)
    """Share of the words that are hidden where hidden words are predicted."""
    steps: int = Field(default=1000, ge=1)
    """Optimizer steps."""
    batch_size: int = Field(default=16, ge=1)
    """Sequences an optimizer step, over all processes."""
    micro_batch_size: Annotated[int, UNKEYED] = Field(default=16, ge=1)
    """Sequences a forward pass of one process; gradients are accumulated up to batch_size."""
    document_masking: bool = False
    """Attention stays within a document, and positions begin anew with each; gpt2 and bert only."""
    short_steps: int = Field(default=0, ge=0)
    """Sequence-length warm-up: for so many steps the same tokens come as sequences of a quarter of
    the context."""
    optimizer: Literal["muon", "adamw"] = "muon"
    """muon (for the blocks' matrices, AdamW for the rest) or adamw for all."""
    matrix_learning_rate: float = Field(default=0.02, ge=0, le=1)
    """Peak learning rate of Muon."""
    matrix_weight_decay: WeightDecay = "auto"
    """Weight decay of Muon's matrices over a whole run: a step at the peak rate takes this over
    `steps` of a weight's value, where the update makes it smaller as well. auto is 12, and 0 where
    a model is continued (init)."""
    learning_rate: float = Field(default=0.016, ge=0, le=1)
    """Peak learning rate of AdamW; 0.002 is right where optimizer=adamw has all of the model."""
    warmup_steps: int = Field(default=100, ge=0)
    """Steps of linear warm-up; a linear decay to zero follows."""
    weight_decay: WeightDecay = "auto"
    """Weight decay of AdamW's matrices, embeddings included, over a whole run: a step at the peak
    rate takes this over `steps` of a weight's value. auto is 1.2, and 0 where a model is continued
    (init). Biases and norms have none."""
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
    snapshots: Annotated[int, KEYED_IF_CHANGED] = Field(default=0, ge=0)
    """Models to keep on the way, in snapshots/STEP: after a third of the steps, a ninth, and so
    on."""
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
