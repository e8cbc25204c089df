"""The token stream and the batches drawn from it."""

import itertools

import numpy as np
import pytest
import torch

from corpora.errors import UserError
from pipeline.training.batches import (
    TokenStream,
    TrainingBatches,
    shorten,
    validation_batches,
)
from tests.pipeline.tiny_tokens import END, write_tokens


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens") / "tokens"
    return write_tokens(folder, {"train": [100, 7, 333], "validation": [50, 41]})


def read_all(folder, split):
    shards = [np.load(path) for path in sorted((folder / split).glob("*.npy"))]
    return np.concatenate(shards).astype(np.int64)


def test_shards_read_as_one_array(folder):
    stream = TokenStream(folder, "train")
    tokens = read_all(folder, "train")
    assert len(stream) == len(tokens) == 440
    for start, length in ((0, 440), (95, 20), (99, 1), (100, 7), (439, 1), (106, 2)):
        assert np.array_equal(stream.read(start, length), tokens[start : start + length])


def test_an_epoch_shows_every_window_once_and_the_next_one_another_order(folder):
    batches = TrainingBatches(TokenStream(folder, "train"), context=16, batch_size=1, seed=5)
    tokens = read_all(folder, "train")
    _, offset = batches.windows_of(0)
    num_windows = batches.num_windows
    starts = [offset + 16 * number for number in range(num_windows)]
    windows = {tuple(tokens[start : start + 17]) for start in starts}
    drawn = [tuple(batches.batch(step)[0].tolist()) for step in range(2 * num_windows)]
    first_epoch = drawn[:num_windows]
    assert set(first_epoch) == windows
    assert first_epoch != drawn[num_windows:]


def test_a_batch_depends_on_seed_and_step_only(folder):
    stream = TokenStream(folder, "train")
    straight = [TrainingBatches(stream, 16, 4, seed=1).batch(step) for step in range(20)]
    batches = TrainingBatches(stream, 16, 4, seed=1)
    for step in (13, 2, 19, 13):
        assert torch.equal(batches.batch(step), straight[step])
    assert not torch.equal(TrainingBatches(stream, 16, 4, seed=2).batch(0), straight[0])


def test_processes_share_a_batch_in_order(folder):
    batches = TrainingBatches(TokenStream(folder, "train"), 16, 4, seed=1)
    parts = [batches.batch(3, rank, world=2) for rank in range(2)]
    assert torch.equal(torch.cat(parts), batches.batch(3))


def test_shortened_sequences_hold_the_same_targets():
    ids_BT = torch.arange(34).view(2, 17)
    short_BT = shorten(ids_BT, 4)
    assert short_BT.shape == (8, 5)
    assert torch.equal(short_BT[:, 1:].flatten(), ids_BT[:, 1:].flatten())


@pytest.mark.parametrize("context, batch_size", [(16, 2), (91, 4), (7, 3), (200, 1)])
def test_validation_predicts_every_token_once_from_its_predecessor(folder, context, batch_size):
    tokens = np.concatenate([[END], read_all(folder, "validation")])
    pairs = []
    for ids_BT in validation_batches(TokenStream(folder, "validation"), context, batch_size):
        assert ids_BT.shape[1] == context + 1
        for row in ids_BT.tolist():
            pairs += [(before, after) for before, after in itertools.pairwise(row) if after != -100]
    assert pairs == list(zip(tokens.tolist(), tokens.tolist()[1:]))


def test_too_little_text_is_an_error_that_says_what_to_do(folder):
    stream = TokenStream(folder, "train")
    said = (
        r"pretrain\.context=400: .* only 440 tokens\. Lower pretrain\.context, to 220 at most, or "
    )
    with pytest.raises(UserError, match=said + "give the recipe more text"):
        TrainingBatches(stream, 400, 1, seed=1)
    assert TrainingBatches(stream, 220, 1, seed=1).batch(0).shape == (1, 221)
    with pytest.raises(UserError, match="to 220 at most"):
        TrainingBatches(stream, 221, 1, seed=1)
