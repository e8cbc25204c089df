"""Fine-tuning's batches: rows of like length together, padded as little as possible."""

from collections.abc import Iterator

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers.trainer_pt_utils import get_length_grouped_indices  # internal: as of 5.23.0

BUCKET_BATCHES = 50
"""Batches that are sorted by length together: more pads less and shuffles less."""
PAD_TO_MULTIPLE = 8
"""Few shapes, so that kernels and memory are reused."""


def batches_of_like_length(
    lengths: list[int], batch_size: int, generator: torch.Generator
) -> list[torch.Tensor]:
    """Return one epoch's batches, (B,) row numbers each, in random order.

    `lengths` are the rows' numbers of tokens.
    """
    rows = get_length_grouped_indices(lengths, batch_size, BUCKET_BATCHES, generator)
    batches = torch.tensor(rows).split(batch_size)
    order = torch.randperm(len(batches), generator=generator)
    return [batches[number] for number in order.tolist()]


def endless_batches(
    lengths: list[int], batch_size: int, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Yield epoch after epoch of `batches_of_like_length`."""
    while True:
        yield from batches_of_like_length(lengths, batch_size, generator)


def pad_right(sequences: list[list[int]], pad_id: int) -> torch.Tensor:
    """Return ids (B, T), T being the longest sequence's length, rounded up to a multiple."""
    ids_BT = pad_sequence(
        [torch.tensor(ids) for ids in sequences], batch_first=True, padding_value=pad_id
    )
    missing = -ids_BT.shape[1] % PAD_TO_MULTIPLE
    return functional.pad(ids_BT, (0, missing), value=pad_id)
