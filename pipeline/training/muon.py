"""Muon: momentum whose update is made orthogonal, for the matrices of a transformer's blocks
(Jordan et al., 2024, kellerjordan.github.io/posts/muon). Two additions make a run of the same
length learn more: NorMuon's equal neurons (Li et al., 2025, arXiv:2510.05491) and cautious weight
decay (Chen et al., 2025, arXiv:2510.12402)."""

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import torch
from transformers.pytorch_utils import Conv1D

from pipeline.training.processes import full_tensor, rank_and_world, replicated, share_work

MOMENTUM = 0.95
NEURON_MOMENTUM = 0.95
TINY = 1e-10  # beside a neuron's size, which is some 0.1
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

    @property
    def input_dim(self) -> int:
        """The dimension that a neuron's inputs lie along."""
        return 0 if self.inputs_first else 1

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

    Each of a weight's matrices is made orthogonal by itself. Then each neuron's update is divided
    by its own running size and the whole made as large as before, scaled by sqrt(max(1, out / in)),
    so that a rate found at one width holds at others. Weights that an update makes smaller anyway
    lose `decay` of their value as well, less by the square of the rate's share of its peak.
    Processes share the work. Where `found_inf`, a scalar that torch's own optimizers take under
    this name, is 1, a step changes nothing.
    """

    def __init__(self, matrices: Iterable[Matrix], lr: float, decay: float) -> None:
        self.matrices = {matrix.weight: matrix for matrix in matrices}
        super().__init__(list(self.matrices), {"lr": lr, "lr_factor": 1.0, "decay": decay})
        self.found_inf = torch.zeros((), device=next(iter(self.matrices)).device)

    # torch's closure, which computes a loss once more, isn't taken: nothing here has one.
    @torch.no_grad()
    def step(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, closure: None = None
    ) -> None:
        """Take one step."""
        for group in self.param_groups:
            kept = math.exp(-(group["lr_factor"] ** 2) * group["decay"])
            for weights in self.rounds(group["params"]):
                matrix = self.matrices[weights[0]]
                updates = [self.nesterov_update(weight) for weight in weights]
                orthogonal = share_work(updates, partial(orthogonalize_weights, like=matrix))
                for weight, direction in zip(weights, orthogonal):
                    update = self.equalize_neurons(weight, direction.float()) * matrix.scale()
                    moved = torch.where(update * weight > 0, weight * kept, weight)
                    moved.sub_(update, alpha=group["lr"])
                    weight.copy_(torch.where(self.found_inf.bool(), weight, moved))

    def new_state(self, weight: torch.nn.Parameter) -> dict[str, torch.Tensor]:
        """What is remembered of a weight before its first step: its momentum, and of each neuron
        the mean square of its updates, which every process has in full."""
        shape = list(weight.shape)
        shape[self.matrices[weight].input_dim] = 1
        squares = torch.zeros(shape, dtype=torch.float32, device=weight.device)
        return {"momentum": torch.zeros_like(weight), "neuron_squares": squares}

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
        if not self.state[weight]:
            self.state[weight] = self.new_state(weight)
        momentum = self.state[weight]["momentum"]
        gradient = torch.where(self.found_inf.bool(), momentum, gradient)
        momentum.lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(momentum, MOMENTUM).bfloat16()

    def equalize_neurons(self, weight: torch.nn.Parameter, update: torch.Tensor) -> torch.Tensor:
        """The update with every neuron's part divided by the root of its mean square so far, and
        the norm that it had."""
        input_dim = self.matrices[weight].input_dim
        # The sum, as torch's mean over a dimension that is sharded unevenly would be wrong.
        sums = full_tensor(update.square().sum(input_dim, keepdim=True))
        squares = sums / weight.shape[input_dim]
        averages = self.state[weight]["neuron_squares"]
        averages.lerp_(torch.where(self.found_inf.bool(), averages, squares), 1 - NEURON_MOMENTUM)
        sizes = averages.sqrt() + TINY
        divided = squares / sizes.square()
        factors = (squares.sum() / (divided.sum() + TINY)).sqrt() / sizes
        return update * replicated(factors, like=update)


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
