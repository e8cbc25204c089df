"""The loss of pretraining: within documents where that is wanted, without targets that aren't
any."""

import copy
import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.models.losses import TokenLosses
from pipeline.models.masking import IGNORED, Vocabulary, unpack
from pipeline.training.batches import Hiding
from tests.pipeline.tiny_tokens import END
from tests.pipeline.train_tiny import make_tiny


def draw_ids(rows, length):
    return torch.randint(10, 60, (rows, length), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_masked_documents_are_as_if_each_stood_alone():
    ids_BT = draw_ids(2, 17)
    ids_BT[0, [0, 5, 11]] = END
    ids_BT[1, [3, 4]] = END
    cuts = {0: [0, 5, 11, 16], 1: [0, 3, 4, 16]}
    model = make_tiny().eval()
    losses = TokenLosses(model)
    apart = sum(
        losses(ids_BT[row : row + 1, start : end + 1])
        for row, bounds in cuts.items()
        for start, end in itertools.pairwise(bounds)
    )
    together = TokenLosses(model, document_masking=True)(ids_BT)
    torch.testing.assert_close(together, apart, atol=1e-3, rtol=0)
    assert abs(together - losses(ids_BT)) > 0.01


@torch.no_grad()
def test_targets_past_the_end_of_the_text_are_skipped():
    ids_BT = draw_ids(1, 17)
    losses = TokenLosses(make_tiny().eval())
    padded_BT = ids_BT.clone()
    padded_BT[:, 11:] = -100
    torch.testing.assert_close(losses(padded_BT), losses(ids_BT[:, :11]), atol=1e-4, rtol=0)


def hide(ids_BT: torch.Tensor) -> torch.Tensor:
    is_text_V = np.arange(64) > 9
    words = Vocabulary(is_text_V, is_text_V, mask_token_id=7)
    return Hiding(words, share=1.0, rate=0.3, seed=1).hide(ids_BT, 0, 0)


@pytest.mark.parametrize("architecture", ["bert", "gpt2"])
@torch.no_grad()
def test_hidden_words_are_predicted_from_both_sides(architecture):
    """As transformers' own model has it, in its own full attention."""
    packed_BT = hide(draw_ids(2, 17))
    model = make_tiny(architecture=architecture).eval()
    inputs_BT, targets_BT = unpack(packed_BT)
    stock = copy.deepcopy(model)
    stock.set_attn_implementation("eager")
    everything = torch.zeros(2, 1, 16, 16)
    logits_BTV = stock(inputs_BT[:, :-1], attention_mask=everything, use_cache=False).logits
    targets_BT = targets_BT[:, :-1] if architecture == "bert" else targets_BT[:, 1:]
    expected = functional.cross_entropy(
        logits_BTV.flatten(0, 1), targets_BT.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    found = TokenLosses(model, mask_rate=0.3)(packed_BT, masked=True)
    torch.testing.assert_close(found, expected / 0.3, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("architecture", ["bert", "gpt2"])
@torch.no_grad()
def test_hidden_words_are_predicted_within_their_document(architecture):
    ids_BT = draw_ids(1, 17)
    ids_BT[0, [0, 6]] = END
    packed_BT = hide(ids_BT)
    losses = TokenLosses(make_tiny(architecture=architecture).eval(), document_masking=True)
    before = losses(packed_BT, masked=True)
    alone = losses(packed_BT[:, :7], masked=True) + losses(packed_BT[:, 6:], masked=True)
    torch.testing.assert_close(before, alone, atol=1e-3, rtol=0)
