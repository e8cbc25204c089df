"""Bits per byte on the validation text. Which batches it is read in is batches.py's business."""

import math
from typing import NamedTuple

import torch
from torch.distributed.fsdp import FSDPModule

from pipeline.training.batches import TokenStream, validation_batches
from pipeline.training.device import autocast
from pipeline.training.processes import all_reduce_sum, rank_and_world


class Validation(NamedTuple):
    """A model's figures on the validation split, under the names that logs and reports have."""

    validation_loss: float  # nats a token
    bits_per_byte: float  # bits of all tokens, end tokens included, over the text's bytes
    validation_tokens: int
    validation_bytes: int


@torch.no_grad()
def validate(
    losses: torch.nn.Module,
    stream: TokenStream,
    context: int,
    batch_size: int,
    device: str,
    precision: str,
) -> Validation:
    """Score all of the split, each process its part; every process gets the figures.

    `losses` gives the sum of the losses of ids (B, T + 1), as TokenLosses does.
    """
    losses.eval()
    own_nats = torch.zeros((), dtype=torch.float64)
    for ids_BT in validation_batches(stream, context, batch_size, *rank_and_world()):
        with autocast(device, precision):
            own_nats += losses(ids_BT.to(device)).cpu()
    losses.train()
    if isinstance(losses, FSDPModule):
        losses.reshard()  # what a backward pass would have done
    (nats,) = all_reduce_sum([own_nats], device)
    return Validation(
        validation_loss=nats / len(stream),
        bits_per_byte=nats / math.log(2) / stream.num_bytes,
        validation_tokens=len(stream),
        validation_bytes=stream.num_bytes,
    )
