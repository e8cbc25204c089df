"""What a model costs in FLOPs and memory, by formula; and which batch fits when memory has run out.
What a device has of both is training/device.py's to say."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import PreTrainedModel

from corpora.errors import UserError
from pipeline.models.gpt import blocks_of, head_of
from pipeline.settings import PretrainSettings

USABLE_MEMORY = 0.9  # the rest is the allocator's, and the estimate's error
MUON_VALUES = 2**24  # a process, in a round of Muon's updates: muon.py's VALUES_AT_ONCE


def flops_per_token(model: PreTrainedModel, length: int) -> int:
    """Training FLOPs a token in sequences of this length, without recomputation.

    6 for each weight that multiplies, and for attention in each layer 12 d for each token of the
    sequence (Chowdhery et al., 2022), or of the window that a banded layer sees.
    """
    config = model.config
    weights = num_in_matrices(model) + head_of(model)[0].numel()
    kinds = getattr(config, "attention_layers", ["global"] * config.num_hidden_layers)
    attended = sum(min(length, config.window_size) if kind == "local" else length for kind in kinds)
    return 6 * weights + 12 * config.hidden_size * attended


def mean_flops_per_token(model: PreTrainedModel, settings: PretrainSettings) -> float:
    """Training FLOPs a token over all steps, the short ones included."""
    short_share = settings.short_steps / settings.steps
    short = flops_per_token(model, settings.context // 4)
    return short_share * short + (1 - short_share) * flops_per_token(model, settings.context)


def num_in_matrices(model: PreTrainedModel) -> int:
    """Weights of the blocks that multiply, which are Muon's."""
    return sum(weight.numel() for weight in blocks_of(model).parameters() if weight.dim() == 2)


def memory_needed(
    model: PreTrainedModel, settings: PretrainSettings, micro_batch_size: int, world: int = 1
) -> dict[str, float]:
    """Bytes a process of training takes, by what they hold: an estimate.

    The state is fp32 weights, gradients and two moments, one where Muon has them. Activations are
    34 bytes a hidden value of a block in mixed precision (Korthikanti et al., 2022); attention's
    scores, which only a CPU keeps, are left out. The copies are those that autocast makes of
    weights for a forward pass, and the backward pass takes up again.
    """
    config = model.config
    layers = config.num_hidden_layers
    tokens = micro_batch_size * settings.context
    weights = model.num_parameters()
    in_matrices = num_in_matrices(model)
    in_muon = in_matrices if settings.optimizer == "muon" else 0
    is_spread = settings.parallel == "fsdp" and world > 1
    blocks_copied = 1 if settings.gradient_checkpointing else layers
    bytes_per_value = 34 + 2 * layers if settings.gradient_checkpointing else 34 * layers
    return {
        "state": (16 * weights - 4 * in_muon) / (world if is_spread else 1),
        "bf16 copies": 2 * in_matrices * blocks_copied / layers,
        "exchange": bytes_for_processes(model, is_spread) if world > 1 else 0,
        "updates": bytes_of_updates(in_muon, world, is_spread),
        "logits": 6 * tokens * config.vocab_size,  # once in bf16, once in fp32
        "activations": tokens * config.hidden_size * bytes_per_value,
    }


def bytes_for_processes(model: PreTrainedModel, is_spread: bool) -> float:
    """What one of several processes holds to share: with ddp the buckets in which all gradients
    are averaged; with fsdp weights and gradients, as a whole, of what is outside the blocks, and of
    two blocks, one of which is on its way."""
    weights = model.num_parameters()
    if not is_spread:
        return 4 * weights
    in_blocks = sum(weight.numel() for weight in blocks_of(model).parameters())
    return 8 * (weights - in_blocks + 2 * in_blocks / model.config.num_hidden_layers)


def bytes_of_updates(in_muon: int, world: int, is_spread: bool) -> float:
    """A round of Muon's updates: 16 a value of a process's own part of it, in bf16 with what
    Newton-Schulz makes of them; with ddp the others' as well, before and after."""
    in_round = min(MUON_VALUES * world, in_muon)
    for_others = 0 if is_spread or world == 1 else 4 * in_round
    return 16 * in_round / world + for_others


@contextmanager
def advising_what_fits(
    model: PreTrainedModel, settings: PretrainSettings, device_memory: float, world: int
) -> Iterator[None]:
    """Turn running out of memory into a UserError that names a micro_batch_size which should fit
    into `device_memory` bytes."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(
            f"pretrain: out of memory with pretrain.micro_batch_size={settings.micro_batch_size}. "
            f"{advice_on_memory(model, settings, device_memory, world)}"
        ) from None


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory has run out; on a CPU torch's error is a plain RuntimeError."""
    kinds = (torch.OutOfMemoryError, MemoryError)
    return isinstance(error, kinds) or "allocate memory" in str(error)


def advice_on_memory(
    model: PreTrainedModel, settings: PretrainSettings, device_memory: float, world: int
) -> str:
    """The largest micro_batch_size that should fit, or what else helps."""
    per_process = settings.batch_size // world
    for size in reversed(range(1, settings.micro_batch_size)):
        needed = sum(memory_needed(model, settings, size, world).values())
        if per_process % size == 0 and needed < USABLE_MEMORY * device_memory:
            return (
                f'SET="pretrain.micro_batch_size={size}" should fit; the batches stay the same, '
                "and the run goes on from its last checkpoint."
            )
    return (
        "Not even one sequence would fit: use pretrain.gradient_checkpointing=true, or more GPUs "
        "with pretrain.parallel=fsdp."
    )
