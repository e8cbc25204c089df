"""Muon: orthogonal updates, q, k and v apart, the orientation of either kind of layer."""

import copy
import math
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch.distributed.tensor import DTensor
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers.pytorch_utils import Conv1D

from pipeline.models.losses import TokenLosses
from pipeline.training import muon
from pipeline.training.muon import Muon, as_matrix, orthogonalize
from pipeline.training.optimizers import find_matrices
from pipeline.training.processes import distribute, mesh_of
from tests.pipeline.train_tiny import make_tiny


def update(module, name, gradient):
    """What one step of Muon adds to the module's weight."""
    before = module.weight.detach().clone()
    module.weight.grad = gradient.clone()
    Muon([as_matrix(name, module)], lr=1.0, decay=0.0).step()
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


def test_decay_takes_its_share_of_what_an_update_makes_smaller_and_of_nothing_else():
    layer = torch.nn.Linear(8, 8)
    before = layer.weight.detach().clone()
    layer.weight.grad = draw(8, 8)
    without = copy.deepcopy(layer)
    without.weight.grad = layer.weight.grad.clone()
    Muon([as_matrix("fc", without)], lr=0.5, decay=0.0).step()
    Muon([as_matrix("fc", layer)], lr=0.5, decay=0.1).step()
    added = without.weight.detach() - before
    is_made_smaller = added * before < 0
    assert 10 < is_made_smaller.sum() < 54
    kept = torch.where(is_made_smaller, math.exp(-0.1), 1.0)
    torch.testing.assert_close(layer.weight.detach(), before * kept + added)


def test_decay_goes_with_the_square_of_the_rates_share():
    layer = torch.nn.Linear(8, 8)
    layer.weight.data = torch.ones(8, 8)
    layer.weight.grad = torch.ones(8, 8)
    optimizer = Muon([as_matrix("fc", layer)], lr=0.0, decay=0.1)
    optimizer.param_groups[0]["lr_factor"] = 0.5
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), torch.full((8, 8), math.exp(-0.1 / 4)))


def test_neurons_move_alike_and_the_whole_as_far_as_before():
    gradient_OI = draw(96, 32)
    gradient_OI[:48] *= 1e-2  # an orthogonal matrix of this shape has smaller rows there
    (orthogonal_OI,) = orthogonalize(gradient_OI[None]).float()
    assert orthogonal_OI[48:].norm() > 2 * orthogonal_OI[:48].norm()
    moved_OI = update(torch.nn.Linear(32, 96), "fc", gradient_OI)
    rows = moved_OI.norm(dim=1)
    assert rows.max() / rows.min() < 1.01
    scale = 3**0.5
    torch.testing.assert_close(moved_OI.norm(), orthogonal_OI.norm() * scale, rtol=0.01, atol=0)


def test_a_gradient_of_nothing_moves_nothing():
    assert not update(torch.nn.Linear(8, 8), "fc", torch.zeros(8, 8)).any()


class PeakMemory(TorchDispatchMode):
    """The most bytes of new tensors that are alive at once."""

    def __init__(self) -> None:
        super().__init__()
        self.alive = 0
        self.peak = 0
        self.seen: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if DTensor in types:  # its local tensors come next
            return NotImplemented
        inputs = {id(each) for each in tree_leaves((args, kwargs))}
        result = func(*args, **kwargs or {})
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor) and id(tensor) not in inputs:
                self.count(tensor.untyped_storage())
        return result

    def count(self, storage: torch.UntypedStorage) -> None:
        if storage in self.seen:
            return
        self.seen.add(storage)
        self.alive += storage.nbytes()
        self.peak = max(self.peak, self.alive)
        weakref.finalize(storage, self.forget, storage.nbytes())

    def forget(self, num_bytes: int) -> None:
        self.alive -= num_bytes


@pytest.fixture
def two_processes() -> Iterator[None]:
    """One process of two, the other of which doesn't exist: what is exchanged has no meaning."""
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=2)
    yield
    mesh_of.cache_clear()
    dist.destroy_process_group()


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_a_process_holds_a_round_of_updates_not_all(two_processes, monkeypatch, parallel):
    monkeypatch.setattr(muon, "VALUES_AT_ONCE", 1)
    model = make_tiny(layers=16, width=64)
    distribute(TokenLosses(model), parallel)
    matrices = find_matrices(model)
    optimizer = Muon(matrices, lr=0.1, decay=0.0)
    for matrix in matrices:
        matrix.weight.grad = torch.ones_like(matrix.weight)
    optimizer.step()  # makes the momenta
    with PeakMemory() as memory:
        optimizer.step()
    num_values = sum(matrix.weight.numel() for matrix in matrices)
    assert 0 < memory.peak < num_values
