"""What a model costs in FLOPs and memory, by formula; and which batch fits when memory has run out."""
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from corpora.errors import UserError
from pipeline.training.device import has_bf16

GPUS = {"RTX 4090": (165, 24), "A100": (312, 80), "H100": (989, 80), "H200": (989, 141),
        "B200": (2250, 180), "L40S": (362, 48)}
"""Dense bf16 TFLOP/s and GB of memory, from the vendor's data sheets."""


def flops_per_token(model) -> int:
    """Without recomputation: 6 for each weight that multiplies, 12 L T d for attention (Chowdhery et al., 2022)."""
    config = model.config
    weights = sum(p.numel() for p in model.transformer.h.parameters() if p.dim() == 2) + model.lm_head.weight.numel()
    return 6 * weights + 12 * config.num_hidden_layers * config.max_position_embeddings * config.hidden_size


def memory_needed(model, settings, micro_batch_size: int, world: int = 1) -> dict[str, float]:
    """Bytes a process of training: the state (fp32 weights, gradients, two moments), logits, activations. An estimate:
    34 a hidden value of a block in mixed precision (Korthikanti et al., 2022), 10 a score where attention is eager."""
    layers, values = model.config.num_hidden_layers, micro_batch_size * settings.context * model.config.hidden_size
    return {"state": 16 * model.num_parameters() / (world if settings.parallel == "fsdp" else 1),
            "logits": 6 * micro_batch_size * settings.context * model.config.vocab_size,  # bf16 once, fp32 once
            "activations": values * (34 + 2 * layers if settings.gradient_checkpointing else 34 * layers),
            "attention scores": 0 if settings.architecture == "gpt2" else
            10 * layers * micro_batch_size * model.config.num_attention_heads * settings.context ** 2}


def peak_flops(device: str) -> float:
    """FLOP/s: a known GPU's data sheet, else what a 2048 x 2048 matrix product reaches, in bf16 if the hardware can."""
    if device == "cuda":
        name = torch.cuda.get_device_name()
        for known, (teraflops, _) in GPUS.items():
            if known in name:
                return teraflops * 1e12
    matrix = torch.ones(2048, 2048, device=device, dtype=torch.bfloat16 if has_bf16(device) else torch.float32)
    (matrix @ matrix).sum().item()
    start, repeats = time.perf_counter(), 20
    for _ in range(repeats):
        product = matrix @ matrix
    product.sum().item()
    return 2 * 2048 ** 3 * repeats / (time.perf_counter() - start)


def memory_there(device: str) -> float:
    """Bytes of the device, or of the machine."""
    if device == "cuda":
        return torch.cuda.get_device_properties().total_memory
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@contextmanager
def naming_what_fits(model, settings, device: str, world: int) -> Iterator[None]:
    """Turn running out of memory into a UserError that names a micro_batch_size which should fit."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and "allocate memory" not in str(error):
            raise
        tried, room = settings.micro_batch_size, 0.9 * memory_there(device)
        fitting = [size for size in range(1, tried) if settings.batch_size // world % size == 0
                   and sum(memory_needed(model, settings, size, world).values()) < room]
        advice = (f'SET="pretrain.micro_batch_size={fitting[-1]}" should fit; the batches stay the same, and the run '
                  "goes on from its last checkpoint." if fitting else "Not even one sequence would fit: use "
                  "pretrain.gradient_checkpointing=true, or more GPUs with pretrain.parallel=fsdp.")
        raise UserError(f"pretrain: out of memory with pretrain.micro_batch_size={tried}. {advice}") from None
