"""Muon: momentum whose update is made orthogonal, for the matrices of a transformer's blocks
(Jordan et al., 2024, kellerjordan.github.io/posts/muon)."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
import torch.distributed as dist
from transformers.pytorch_utils import Conv1D

from pipeline.training.processes import full_tensor, place_like, rank_and_world

MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # the quintic's coefficients (Jordan et al., 2024)
ITERATIONS = 5


class Matrix(NamedTuple):
    """A weight of a transformer block, and how its numbers are to be read."""

    weight: torch.nn.Parameter
    inputs_first: bool  # (in, out), as Conv1D has it; Linear has (out, in)
    num_parts: int  # matrices side by side in one: c_attn is query, key and value


def as_matrix(name: str, module: torch.nn.Module) -> Matrix:
    """The weight of a Linear or a Conv1D that has this name in its block."""
    num_parts = 3 if name.endswith("c_attn") else 1
    return Matrix(module.get_parameter("weight"), isinstance(module, Conv1D), num_parts)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose update is made orthogonal.

    Each of a weight's matrices is made orthogonal by itself and scaled by sqrt(max(1, out / in)),
    so that a rate found at one width holds at others. Processes share the work. Where `found_inf`,
    a scalar that torch's own optimizers take under this name, is 1, a step changes nothing.
    """

    def __init__(self, matrices: Iterable[Matrix], lr: float, weight_decay: float) -> None:
        self.matrices = {matrix.weight: matrix for matrix in matrices}
        super().__init__(list(self.matrices), {"lr": lr, "weight_decay": weight_decay})
        self.found_inf = torch.zeros((), device=next(iter(self.matrices)).device)

    # torch's closure, which computes a loss once more, isn't taken: nothing here has one.
    @torch.no_grad()
    def step(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, closure: None = None
    ) -> None:
        """Take one step."""
        for group in self.param_groups:
            updates = {weight: self.nesterov_update(weight) for weight in group["params"]}
            self.orthogonalize_in_place(updates)
            for weight, update in updates.items():
                moved = weight * (1 - group["lr"] * group["weight_decay"])
                moved.add_(place_like(update, weight), alpha=-group["lr"])
                weight.copy_(torch.where(self.found_inf.bool(), weight, moved))

    def nesterov_update(self, weight: torch.nn.Parameter) -> torch.Tensor:
        """The full gradient, moved towards the momentum, which takes the gradient in first."""
        gradient = weight.grad
        if gradient is None:
            raise RuntimeError("a matrix of Muon's has no gradient")
        momentum = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
        gradient = torch.where(self.found_inf.bool(), momentum, gradient)
        momentum.lerp_(gradient, 1 - MOMENTUM)
        return full_tensor(gradient.lerp(momentum, MOMENTUM))

    def orthogonalize_in_place(self, updates: dict[torch.nn.Parameter, torch.Tensor]) -> None:
        """Make each part of each update orthogonal, those of one shape together, and scale it."""
        by_shape: dict[torch.Size, list[torch.Tensor]] = {}
        for weight, update in updates.items():
            matrix = self.matrices[weight]
            update_OI = update.mT if matrix.inputs_first else update
            for part_OI in update_OI.chunk(matrix.num_parts):
                by_shape.setdefault(part_OI.shape, []).append(part_OI)
        for (num_outputs, num_inputs), parts in by_shape.items():
            scale = max(1, num_outputs / num_inputs) ** 0.5
            orthogonal_NOI = orthogonalize_together(torch.stack(parts))
            for part_OI, orthogonal_OI in zip(parts, orthogonal_NOI):
                part_OI.copy_(orthogonal_OI).mul_(scale)


def orthogonalize_together(matrices_NOI: torch.Tensor) -> torch.Tensor:
    """orthogonalize() of a stack of matrices, each process doing its part of the stack."""
    rank, world = rank_and_world()
    if world == 1:
        return orthogonalize(matrices_NOI)
    num_matrices = len(matrices_NOI)
    padding = (0, 0, 0, 0, 0, -num_matrices % world)
    padded_NOI = torch.nn.functional.pad(matrices_NOI, padding)
    own_NOI = orthogonalize(padded_NOI.chunk(world)[rank]).contiguous()
    gathered_NOI = own_NOI.new_empty(padded_NOI.shape)
    dist.all_gather_single(gathered_NOI, own_NOI)
    return gathered_NOI[:num_matrices]


def orthogonalize(matrices_NOI: torch.Tensor) -> torch.Tensor:
    """Of each matrix U S V^T (N, O, I) nearly U V^T, by Newton-Schulz in bf16 (Bernstein and
    Newhouse, 2024)."""
    a, b, c = NEWTON_SCHULZ
    is_tall = matrices_NOI.shape[1] > matrices_NOI.shape[2]
    # The products are of the smaller side.
    x = (matrices_NOI.mT if is_tall else matrices_NOI).bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    return x.mT if is_tall else x
