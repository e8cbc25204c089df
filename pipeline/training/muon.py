"""Muon: momentum whose update is made orthogonal, for the matrices of a transformer's blocks
(Jordan et al., 2024, kellerjordan.github.io/posts/muon)."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import torch
from transformers.pytorch_utils import Conv1D

from pipeline.training.processes import rank_and_world, share_work

MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # the quintic's coefficients (Jordan et al., 2024)
ITERATIONS = 5
VALUES_AT_ONCE = 2**24
"""Values of updates that a process makes orthogonal together, if a matrix hasn't more: enough for
a GPU to be busy, and few beside a model that is large."""


class Matrix(NamedTuple):
    """A weight of a transformer block, and how its numbers are to be read."""

    weight: torch.nn.Parameter
    inputs_first: bool  # (in, out), as Conv1D has it; Linear has (out, in)
    num_parts: int  # matrices side by side in one: c_attn is query, key and value

    def scale(self) -> float:
        """What an orthogonal update is multiplied by: a rate found at one width holds at others."""
        first, second = self.weight.shape
        num_outputs = (second if self.inputs_first else first) / self.num_parts
        num_inputs = first if self.inputs_first else second
        return max(1, num_outputs / num_inputs) ** 0.5


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
            for weights in self.rounds(group["params"]):
                matrix = self.matrices[weights[0]]
                updates = [self.nesterov_update(weight) for weight in weights]
                orthogonal = share_work(updates, partial(orthogonalize_weights, like=matrix))
                for weight, update in zip(weights, orthogonal):
                    moved = weight * (1 - group["lr"] * group["weight_decay"])
                    moved.add_(update.float() * matrix.scale(), alpha=-group["lr"])
                    weight.copy_(torch.where(self.found_inf.bool(), weight, moved))

    def rounds(self, weights: list[torch.nn.Parameter]) -> Iterator[list[torch.nn.Parameter]]:
        """The weights, those of one kind together, but at most VALUES_AT_ONCE a process."""
        _, world = rank_and_world()
        alike: dict[tuple[torch.Size, bool, int], list[torch.nn.Parameter]] = {}
        for weight in weights:
            matrix = self.matrices[weight]
            kind = (weight.shape, matrix.inputs_first, matrix.num_parts)
            alike.setdefault(kind, []).append(weight)
        for same in alike.values():
            num_together = world * max(1, VALUES_AT_ONCE // same[0].numel())
            for start in range(0, len(same), num_together):
                yield same[start : start + num_together]

    def nesterov_update(self, weight: torch.nn.Parameter) -> torch.Tensor:
        """The gradient, moved towards the momentum, which takes the gradient in first; in bf16,
        as it's made orthogonal in, and sharded as the weight is."""
        gradient = weight.grad
        if gradient is None:
            raise RuntimeError("a matrix of Muon's has no gradient")
        momentum = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
        gradient = torch.where(self.found_inf.bool(), momentum, gradient)
        momentum.lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(momentum, MOMENTUM).bfloat16()


def orthogonalize_weights(updates_NXY: torch.Tensor, like: Matrix) -> torch.Tensor:
    """orthogonalize() of every part of updates that lie as the weight of `like` does."""
    updates_NOI = updates_NXY.mT if like.inputs_first else updates_NXY
    parts_NPOI = updates_NOI.unflatten(1, (like.num_parts, -1))
    orthogonal_NOI = orthogonalize(parts_NPOI.flatten(0, 1).contiguous())
    together_NOI = orthogonal_NOI.view_as(parts_NPOI).flatten(1, 2)
    return (together_NOI.mT if like.inputs_first else together_NOI).contiguous()


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
