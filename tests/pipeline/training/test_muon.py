"""Muon: orthogonal updates, q, k and v apart, the orientation of either kind of layer."""

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
    optimizer = Muon(matrices, lr=0.1, weight_decay=0.0)
    for matrix in matrices:
        matrix.weight.grad = torch.ones_like(matrix.weight)
    optimizer.step()  # makes the momenta
    with PeakMemory() as memory:
        optimizer.step()
    num_values = sum(matrix.weight.numel() for matrix in matrices)
    assert 0 < memory.peak < num_values
