"""Muon: orthogonal updates, q, k and v apart, the orientation of either kind of layer."""
import pytest
import torch
from pipeline.training.optimizer import Muon, make_adamw, make_optimizers, orthogonalize
from transformers.pytorch_utils import Conv1D

from pipeline.models.gpt import make_model
from pipeline.settings import SECTIONS
from tests.pipeline.tiny_tokens import END, VOCABULARY

SETTINGS = SECTIONS["pretrain"](layers=2, width=32, heads=2, context=16, compile=False)


def update(module, name, gradient, rate=1.0):
    """What one step of Muon adds to the module's weight."""
    before = module.weight.detach().clone()
    module.weight.grad = gradient.clone()
    Muon([(name, module)], rate, 0.0).step()
    return module.weight.detach() - before


@pytest.mark.parametrize("shape", [(24, 96), (96, 24)])
def test_an_update_is_nearly_orthogonal_whatever_the_gradients_scale(shape):
    generator = torch.Generator().manual_seed(0)
    matrices = torch.randn(3, *shape, generator=generator) * torch.tensor([1e-4, 1, 1e4])[:, None, None]
    singular = torch.linalg.svdvals(orthogonalize(matrices).float())
    assert singular.min() > 0.5
    assert singular.max() < 1.4


def test_conv1d_and_linear_get_the_same_update_transposed():
    gradient = torch.randn(96, 32, generator=torch.Generator().manual_seed(0))  # (out, in)
    linear, conv = torch.nn.Linear(32, 96), Conv1D(96, 32)
    torch.testing.assert_close(update(linear, "fc", gradient), update(conv, "fc", gradient.T.contiguous()).T, atol=0.02, rtol=0)


def test_query_key_and_value_are_made_orthogonal_each_by_itself():
    gradient = torch.randn(32, 96, generator=torch.Generator().manual_seed(0))
    gradient[:, :64] *= 1e-3  # q and k next to nothing beside v
    parts = update(Conv1D(96, 32), "h.0.attn.c_attn", gradient).chunk(3, dim=1)
    norms = [float(part.norm()) for part in parts]
    assert max(norms) / min(norms) < 1.3
    for part, alone in zip(parts, gradient.chunk(3, dim=1)):
        torch.testing.assert_close(part, update(Conv1D(32, 32), "c_proj", alone.contiguous()), atol=0.03, rtol=0)


def test_muon_takes_the_blocks_matrices_and_adamw_everything_else():
    for architecture in ("gpt", "gpt2", "gpt3"):
        model = make_model(SECTIONS["pretrain"](layers=2, width=32, heads=2, context=16, compile=False, architecture=architecture),
                           VOCABULARY, END, 0)
        adamw, muon = make_optimizers(model, SETTINGS)
        names = {parameter: name for name, parameter in model.named_parameters()}
        taken = {names[parameter] for group in muon.param_groups for parameter in group["params"]}
        assert taken == {name for parameter, name in names.items() if ".h." in name and parameter.dim() == 2}
        assert len(taken) + sum(len(group["params"]) for group in adamw.param_groups) == len(names)


def test_adamw_alone_takes_all():
    model = make_model(SETTINGS, VOCABULARY, END, 0)
    optimizer, = make_optimizers(model, SECTIONS["pretrain"](optimizer="adamw"))
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(model.parameters()))


def test_weight_decay_spares_biases_and_norms():
    model = make_model(SETTINGS, VOCABULARY, END, 0)
    decayed, spared = make_adamw(model.parameters(), 1e-3, 0.1).param_groups
    assert all(parameter.dim() == 2 for parameter in decayed["params"])
    assert all(parameter.dim() == 1 for parameter in spared["params"])
    assert spared["weight_decay"] == 0
    assert len(decayed["params"]) + len(spared["params"]) == len(list(model.parameters()))
