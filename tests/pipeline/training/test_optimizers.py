"""Which optimizer takes which weights."""

import re

import pytest
import torch

from pipeline.models.gpt import MODEL_TYPES, blocks_of
from pipeline.training.optimizers import clip_gradients, make_adamw, make_optimizers
from tests.pipeline.train_tiny import TINY, make_tiny, tiny


def weights_in(optimizer: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


@pytest.mark.parametrize("architecture", MODEL_TYPES)
def test_muon_takes_the_blocks_matrices_and_adamw_everything_else(architecture):
    model = make_tiny(architecture=architecture)
    adamw, *muons = make_optimizers(model, TINY)
    names = {parameter: name for name, parameter in model.named_parameters()}
    taken = {names[parameter] for muon in muons for parameter in weights_in(muon)}
    blocks = r"transformer\.h\.|bert\.encoder\.layer\.|cls\.predictions\.transform\."
    matrices = {name for each, name in names.items() if re.match(blocks, name) and each.dim() == 2}
    assert taken == matrices
    assert len(taken) + len(weights_in(adamw)) == len(names)


def test_queries_that_are_scaled_down_learn_as_much_slower_and_decay_as_the_others():
    model = make_tiny(architecture="gpt3", width=32, heads=2)
    settings = tiny(matrix_learning_rate=0.02, matrix_weight_decay=18.0, steps=9000)
    _, others, queries = make_optimizers(model, settings)
    (group,), (group_of_queries,) = others.param_groups, queries.param_groups
    expected = {each.attn.attention.q_proj.weight for each in blocks_of(model)}
    assert set(weights_in(queries)) == expected
    assert not expected & set(weights_in(others))
    assert group["lr"] == 0.02
    assert group_of_queries["lr"] == pytest.approx(0.02 / 4)  # a head's width is 16
    assert group["decay"] == group_of_queries["decay"] == pytest.approx(18 / 9000)


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, (12, 1.2)),
        ({"init": "a-model"}, (0, 0)),
        ({"init": "a-model", "matrix_weight_decay": 4.0, "weight_decay": 2.0}, (4, 2)),
        ({"learning_rate": 0.0}, (12, 0)),
    ],
)
def test_a_model_that_is_continued_decays_only_if_that_is_set(changes, expected):
    settings = tiny(**{"matrix_weight_decay": "auto", **changes})
    adamw, muon = make_optimizers(make_tiny(), settings)
    group = adamw.param_groups[0]
    per_step = (muon.param_groups[0]["decay"], group["lr"] * group["weight_decay"])
    assert per_step == pytest.approx([each / settings.steps for each in expected])


def test_adamw_alone_takes_all():
    model = make_tiny()
    (adamw,) = make_optimizers(model, tiny(optimizer="adamw"))
    assert len(weights_in(adamw)) == len(list(model.parameters()))


def test_weight_decay_spares_biases_and_norms():
    model = make_tiny()
    decayed, spared = make_adamw(model.parameters(), 1e-3, 0.1).param_groups
    assert all(parameter.dim() == 2 for parameter in decayed["params"])
    assert all(parameter.dim() == 1 for parameter in spared["params"])
    assert spared["weight_decay"] == 0
    assert len(decayed["params"]) + len(spared["params"]) == len(list(model.parameters()))


@pytest.mark.parametrize("largest, norm_after", [(1.0, 1.0), (10.0, 5.0), (0.0, 5.0)])
def test_gradients_are_clipped_to_a_norm_and_not_at_all_with_0(largest, norm_after):
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.tensor([3.0, 4.0])
    assert clip_gradients([weight], largest) == 5
    assert float(weight.grad.norm()) == pytest.approx(norm_after, rel=1e-5)
