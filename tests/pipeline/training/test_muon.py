"""Muon: orthogonal updates, q, k and v apart, the orientation of either kind of layer."""

import pytest
import torch
from transformers.pytorch_utils import Conv1D

from pipeline.training.muon import Muon, as_matrix, orthogonalize


def update(module, name, gradient):
    """What one step of Muon adds to the module's weight."""
    before = module.weight.detach().clone()
    module.weight.grad = gradient.clone()
    Muon([as_matrix(name, module)], lr=1.0, weight_decay=0.0).step()
    return module.weight.detach() - before


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(24, 96), (96, 24)])
def test_an_update_is_nearly_orthogonal_whatever_the_gradients_scale(shape):
    matrices_NOI = draw(3, *shape) * torch.tensor([1e-4, 1, 1e4])[:, None, None]
    singular = torch.linalg.svdvals(orthogonalize(matrices_NOI).float())
    assert singular.min() > 0.5
    assert singular.max() < 1.4


def test_conv1d_and_linear_get_the_same_update_transposed():
    gradient_OI = draw(96, 32)
    of_linear = update(torch.nn.Linear(32, 96), "fc", gradient_OI)
    of_conv1d = update(Conv1D(96, 32), "fc", gradient_OI.T.contiguous())
    torch.testing.assert_close(of_linear, of_conv1d.T, atol=0.02, rtol=0)


def test_query_key_and_value_are_made_orthogonal_each_by_itself():
    gradient = draw(32, 96)
    gradient[:, :64] *= 1e-3  # q and k next to nothing beside v
    parts = update(Conv1D(96, 32), "h.0.attn.c_attn", gradient).chunk(3, dim=1)
    norms = [float(part.norm()) for part in parts]
    assert max(norms) / min(norms) < 1.3
    for part, alone in zip(parts, gradient.chunk(3, dim=1)):
        expected = update(Conv1D(32, 32), "c_proj", alone.contiguous())
        torch.testing.assert_close(part, expected, atol=0.03, rtol=0)


def test_weight_decay_shrinks_a_weight_by_rate_times_decay():
    layer = torch.nn.Linear(8, 8)
    before = layer.weight.detach().clone()
    layer.weight.grad = torch.zeros(8, 8)
    Muon([as_matrix("fc", layer)], lr=0.5, weight_decay=0.1).step()
    torch.testing.assert_close(layer.weight.detach(), before * 0.95)
