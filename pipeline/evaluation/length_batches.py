"""Fine-tuning's batches: rows of like length together, padded as little as possible."""

from collections.abc import Iterator

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers.trainer_pt_utils import get_length_grouped_indices  # internal: as of 5.23.0

BUCKET_BATCHES = 50  # that are sorted by length together: more pads less and shuffles less


def batches_of_like_length(
    lengths: list[int], batch_size: int, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Yield (B,) row numbers in random order, epoch after epoch without an end.

    `lengths` are the rows' numbers of tokens.
    """
    while True:
        rows = get_length_grouped_indices(lengths, batch_size, BUCKET_BATCHES, generator)
        batches = torch.tensor(rows).split(batch_size)
        for number in torch.randperm(len(batches), generator=generator).tolist():
            yield batches[number]


def pad_right(sequences: list[list[int]], pad_id: int) -> torch.Tensor:
    """Return ids (B, T), T being the longest sequence's length rounded up to 8: few shapes, so that
    kernels and memory are reused."""
    tensors = [torch.tensor(ids) for ids in sequences]
    ids_BT = pad_sequence(tensors, batch_first=True, padding_value=pad_id)
    return functional.pad(ids_BT, (0, -ids_BT.shape[1] % 8), value=pad_id)
