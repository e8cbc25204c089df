"""The loss of pretraining: within documents where that is wanted, without targets that aren't
any."""

import itertools

import torch

from pipeline.models.losses import TokenLosses
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
