"""The token stream and the batches drawn from it."""
import itertools

import numpy as np
import pytest
import torch

from corpora.errors import UserError
from pipeline.training.batches import TokenStream, TrainingBatches, validation_batches
from tests.pipeline.tiny_tokens import END, write_tokens


@pytest.fixture
def folder(tmp_path):
    return write_tokens(tmp_path, {"train": [100, 7, 333], "validation": [50, 41]})


def whole(folder, split):
    return np.concatenate([np.load(path) for path in sorted((folder / split).glob("*.npy"))]).astype(np.int64)


def test_shards_read_as_one_array(folder):
    stream, tokens = TokenStream(folder, "train"), whole(folder, "train")
    assert len(stream) == len(tokens) == 440
    for start, length in ((0, 440), (95, 20), (99, 1), (100, 7), (439, 1), (106, 2)):
        assert np.array_equal(stream.read(start, length), tokens[start:start + length])


def test_an_epoch_shows_every_window_once_and_the_next_one_another_order(folder):
    batches = TrainingBatches(TokenStream(folder, "train"), context=16, batch_size=1, seed=5)
    tokens = whole(folder, "train")
    offset = batches.windows_of(0)[1]
    windows = {tuple(tokens[offset + 16 * i:offset + 16 * i + 17]) for i in range(batches.num_windows)}
    first = [tuple(batches.batch(step)[0].tolist()) for step in range(batches.num_windows)]
    assert set(first) == windows
    second = [tuple(batches.batch(step)[0].tolist()) for step in range(batches.num_windows, 2 * batches.num_windows)]
    assert first != second


def test_a_batch_depends_on_seed_and_step_only(folder):
    stream = TokenStream(folder, "train")
    straight = [TrainingBatches(stream, 16, 4, 1).batch(step) for step in range(20)]
    batches = TrainingBatches(stream, 16, 4, 1)
    for step in (13, 2, 19, 13):
        assert torch.equal(batches.batch(step), straight[step])
    assert not torch.equal(TrainingBatches(stream, 16, 4, 2).batch(0), straight[0])


@pytest.mark.parametrize("context, batch_size", [(16, 2), (91, 4), (7, 3), (200, 1)])
def test_validation_predicts_every_token_once_from_its_predecessor(folder, context, batch_size):
    tokens = np.concatenate([[END], whole(folder, "validation")])
    pairs = []
    for ids_BT in validation_batches(TokenStream(folder, "validation"), context, batch_size):
        assert ids_BT.shape[1] == context + 1
        for row in ids_BT.tolist():
            pairs += [(before, after) for before, after in itertools.pairwise(row) if after != -100]
    assert pairs == list(zip(tokens.tolist(), tokens.tolist()[1:]))


def test_too_little_text_is_an_error_that_names_the_setting(folder):
    with pytest.raises(UserError, match=r"pretrain\.context=400"):
        TrainingBatches(TokenStream(folder, "train"), 400, 1, 1)
