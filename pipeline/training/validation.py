"""Bits per byte on the validation text. Which batches it is read in is batches.py's business."""

import math
from typing import NamedTuple

import torch
from torch.distributed.fsdp import FSDPModule

from pipeline.training.batches import Hiding, TokenStream, validation_batches
from pipeline.training.device import autocast
from pipeline.training.processes import all_reduce_sum, rank_and_world

VALIDATION_STEP = 2**31
"""In the place of a step's number, where the validation text's words are hidden."""


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
    hiding: Hiding | None = None,
) -> Validation:
    """Score all of the split, each process its part; every process gets the figures.

    `losses` gives the sum of the losses of ids (B, T + 1), as TokenLosses does. With `hiding` the
    figures are those of hidden words, the same ones each time: they compare with no causal
    model's.
    """
    losses.eval()
    rank, world = rank_and_world()
    own_nats = torch.zeros((), dtype=torch.float64)
    batches = validation_batches(stream, context, batch_size, rank, world)
    for number, plain_BT in enumerate(batches):
        first_row = (number * world + rank) * batch_size
        ids_BT = hiding.hide(plain_BT, VALIDATION_STEP, first_row) if hiding else plain_BT
        with autocast(device, precision):
            own_nats += losses(ids_BT.to(device), masked=hiding is not None).cpu()
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
