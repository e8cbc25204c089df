"""Batches of rows of like length, and their padding."""

from itertools import islice

import numpy as np
import torch

from pipeline.evaluation.length_batches import batches_of_like_length, pad_right


def epoch(lengths, batch_size, seed=1) -> list[torch.Tensor]:
    batches = batches_of_like_length(lengths, batch_size, torch.Generator().manual_seed(seed))
    return list(islice(batches, -(-len(lengths) // batch_size)))


def test_every_row_comes_once_an_epoch_beside_rows_of_like_length():
    lengths = np.random.default_rng(0).integers(1, 60, 1000)
    batches = epoch(lengths, 16)
    assert sorted(np.concatenate(batches)) == list(range(1000))
    padded = sum(lengths[rows].max() * len(rows) for rows in batches)
    assert padded < 1.1 * lengths.sum()
    assert all(np.array_equal(one, two) for one, two in zip(batches, epoch(lengths, 16)))


def test_epochs_follow_each_other_in_other_orders():
    batches = batches_of_like_length([1, 2, 3, 4] * 8, 8, torch.Generator().manual_seed(1))
    first, second = (np.concatenate(list(islice(batches, 4))).tolist() for _ in range(2))
    assert first != second
    assert sorted(first) == sorted(second) == list(range(32))


def test_ids_are_padded_on_the_right_to_a_multiple_of_eight():
    ids_BT = pad_right([[1, 2, 3], [4] * 9], 7)
    assert ids_BT.tolist() == [[1, 2, 3] + [7] * 13, [4] * 9 + [7] * 7]
