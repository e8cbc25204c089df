"""Which optimizer takes which weights, and what is done to gradients and rates around its steps.
Muon itself is muon.py, the schedule of the rates schedule.py."""

import math
from collections.abc import Iterable
from typing import Literal

import torch
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from pipeline.models.gpt import blocks_of, is_bert, query_scale, unscaled_queries_of
from pipeline.settings import PretrainSettings
from pipeline.training.muon import Matrix, Muon, as_matrix
from pipeline.training.processes import full_tensor

MATRIX_WEIGHT_DECAY = 12.0
WEIGHT_DECAY = 1.2
"""Over a whole run; around the best of those tried (pipeline/EXPERIMENTS.md)."""


def make_adamw(
    parameters: Iterable[torch.nn.Parameter],
    learning_rate: float,
    weight_decay: float,
    beta2: float = 0.999,
) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter, 2019) with weight decay on matrices only, as GPT-3 and nanoGPT
    have it."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.dim() >= 2]
    vectors = [parameter for parameter in trained if parameter.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, beta2), fused=True)


def make_optimizers(
    model: PreTrainedModel, settings: PretrainSettings
) -> list[torch.optim.Optimizer]:
    """For pretraining: Muon for the blocks' matrices and AdamW for embeddings, norms and biases, or
    AdamW for all.

    Muon's steps are as large whatever a weight's size, so queries that are scaled down (see
    models/gpt.py) learn at a rate that is, too. What weights lose by decay in a whole run is what
    is set: a longer run wants less of it a step (Wang and Aitchison, 2024, arXiv:2405.13698).
    """
    matrices = find_matrices(model) if settings.optimizer == "muon" else []
    taken = {matrix.weight for matrix in matrices}
    rest = [parameter for parameter in model.parameters() if parameter not in taken]
    decay_a_step = decay_of_run(settings, settings.weight_decay, WEIGHT_DECAY) / settings.steps
    rate = settings.learning_rate
    # AdamW's own is multiplied by the rate.
    adamw = make_adamw(rest, rate, decay_a_step / rate if rate else 0.0, settings.beta2)
    if not matrices:
        return [adamw]
    scaled_down = set(unscaled_queries_of(model))
    queries = [matrix for matrix in matrices if matrix.weight in scaled_down]
    others = [matrix for matrix in matrices if matrix.weight not in scaled_down]
    rate = settings.matrix_learning_rate
    decay = decay_of_run(settings, settings.matrix_weight_decay, MATRIX_WEIGHT_DECAY)
    optimizers = [adamw, Muon(others, rate, decay / settings.steps)]
    if queries:
        optimizers.append(Muon(queries, rate * query_scale(model), decay / settings.steps))
    return optimizers


def decay_of_run(
    settings: PretrainSettings, given: float | Literal["auto"], default: float
) -> float:
    """What weights lose over a whole run, unless that is set: nothing where a model is continued,
    as few steps would take most of what it has learnt."""
    if given != "auto":
        return given
    return 0.0 if settings.init else default


def find_matrices(model: PreTrainedModel) -> list[Matrix]:
    """The weights of all layers in the blocks that multiply by a matrix, and of the one that BERT
    has before its head."""
    named = list(blocks_of(model).named_modules())
    if is_bert(model):
        named += model.get_submodule("cls.predictions.transform").named_modules()
    return [
        as_matrix(name, module)
        for name, module in named
        if isinstance(module, Conv1D | torch.nn.Linear)
    ]


def clip_gradients(parameters: Iterable[torch.nn.Parameter], largest: float) -> torch.Tensor:
    """Scale the gradients so that their norm is at most `largest`; 0 doesn't clip.

    Returns the norm before that, a scalar, over all processes.
    """
    return full_tensor(torch.nn.utils.clip_grad_norm_(parameters, largest or math.inf))


class Guard:
    """Keeps a loss or a gradient that isn't finite from the weights, and never waits for a GPU.

    From the first such step on `found_inf`, a scalar on the device, is 1, and step_optimizers
    changes nothing. So the state is still that of the last good step when the figures are read.
    """

    def __init__(self, device: str) -> None:
        self.found_inf = torch.zeros((), device=device)
        self.unread: list[torch.Tensor] = []

    def watch(self, loss: torch.Tensor, norm: torch.Tensor) -> None:
        """Take the figures of a step, scalars on the device, before its update."""
        figures_2 = torch.stack([loss, norm])
        self.unread.append(figures_2)
        has_failed = figures_2.isfinite().logical_not().any()
        self.found_inf = torch.maximum(self.found_inf, has_failed.float())

    def read(self) -> list[list[float]]:
        """Loss and gradient norm of each step since the last reading; waits for the device."""
        figures = torch.stack(self.unread).tolist()
        self.unread.clear()
        return figures


def step_optimizers(
    optimizers: list[torch.optim.Optimizer], factor: float, found_inf: torch.Tensor
) -> None:
    """Take one step at this share of each group's peak rate, and forget the gradients.

    Where `found_inf`, a scalar on the weights' device, is 1, weights and moments stay as they are.
    """
    # The fused kernel for MPS takes no notice of found_inf: there the CPU waits to see it.
    is_skipped = found_inf.device.type == "mps" and bool(found_inf)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            peak = group.setdefault("peak_lr", group["lr"])
            group["lr"] = peak * factor
            group["lr_factor"] = factor
        # As torch.amp.GradScaler hands it over; AdamW declares no such attribute.
        optimizer.found_inf = found_inf  # pyright: ignore[reportAttributeAccessIssue]
        if not is_skipped:
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
