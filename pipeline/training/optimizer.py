"""Muon, AdamW and the learning-rate schedule, for pretraining and fine-tuning alike: all count steps, never seconds."""
import torch
import torch.distributed as dist
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers.pytorch_utils import Conv1D

from pipeline.training.device import rank_and_world

MOMENTUM = 0.95
NEWTON_SCHULZ, ITERATIONS = (3.4445, -4.7750, 2.0315), 5  # the quintic's coefficients (Jordan et al., 2024)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose update is made orthogonal, for the matrices of a transformer's blocks (Jordan et al.,
    2024, kellerjordan.github.io/posts/muon).

    Conv1D keeps its weights as (in, out) where Linear has (out, in), and c_attn is three matrices in one: each is made
    orthogonal by itself, scaled by sqrt(max(1, out / in)), so that a rate found at one width holds at others. Processes
    share the work. Raises nothing of its own; parameters have to be 2-D."""

    def __init__(self, modules: list[tuple[str, torch.nn.Module]], lr: float, weight_decay: float):
        super().__init__([module.weight for _, module in modules], {"lr": lr, "weight_decay": weight_decay})
        self.inputs_first = {module.weight for _, module in modules if isinstance(module, Conv1D)}
        self.parts = {module.weight: 3 if name.endswith("c_attn") else 1 for name, module in modules}

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            updates, matrices = {}, {}
            for parameter in group["params"]:
                momentum = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
                momentum.lerp_(parameter.grad, 1 - MOMENTUM)
                updates[parameter] = update = whole(parameter.grad.lerp(momentum, MOMENTUM))
                for part_OI in (update.mT if parameter in self.inputs_first else update).chunk(self.parts[parameter]):
                    matrices.setdefault(part_OI.shape, []).append(part_OI)
            for (outputs, inputs), parts in matrices.items():
                scale = max(1, outputs / inputs) ** 0.5
                for part_OI, orthogonal_OI in zip(parts, share(torch.stack(parts))):
                    part_OI.copy_(orthogonal_OI).mul_(scale)
            for parameter, update in updates.items():
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(like(update, parameter), alpha=-group["lr"])


def share(matrices_NOI: torch.Tensor) -> torch.Tensor:
    """orthogonalize() of a stack of matrices, each process doing its part of the stack."""
    rank, world = rank_and_world()
    if world == 1:
        return orthogonalize(matrices_NOI)
    N = len(matrices_NOI)
    padded = torch.nn.functional.pad(matrices_NOI, (0, 0, 0, 0, 0, -N % world))
    mine = orthogonalize(padded.chunk(world)[rank]).contiguous()
    found = mine.new_empty(padded.shape)
    dist.all_gather_single(found, mine)
    return found[:N]


def orthogonalize(matrices_NOI: torch.Tensor) -> torch.Tensor:
    """(N, O, I): of each matrix U S V^T nearly U V^T, by Newton-Schulz in bf16 (Bernstein and Newhouse, 2024)."""
    a, b, c = NEWTON_SCHULZ
    tall = matrices_NOI.shape[1] > matrices_NOI.shape[2]
    x = (matrices_NOI.mT if tall else matrices_NOI).bfloat16()  # the products are of the smaller side
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A sharded tensor's full value on every process; others as they are."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def like(full: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """A full value placed as the parameter is: on its device, and sharded where it's sharded."""
    full = full.to(parameter.device)
    if isinstance(parameter, DTensor):
        return distribute_tensor(full, parameter.device_mesh, parameter.placements, src_data_rank=None)
    return full


def make_adamw(parameters, learning_rate: float, weight_decay: float, beta2: float = 0.999) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter, 2019) with weight decay on matrices only, as GPT-3 and nanoGPT have it."""
    parameters = [p for p in parameters if p.requires_grad]
    groups = [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
              {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, beta2), fused=parameters[0].device.type != "mps")


def make_optimizers(model, settings) -> list[torch.optim.Optimizer]:
    """For pretraining: Muon for the blocks' matrices and AdamW for embeddings, norms and biases, or AdamW for all."""
    modules = [each for each in model.transformer.h.named_modules() if isinstance(each[1], (Conv1D, torch.nn.Linear))]
    taken = {module.weight for _, module in modules} if settings.optimizer == "muon" else set()
    rest = [parameter for parameter in model.parameters() if parameter not in taken]
    adamw = make_adamw(rest, settings.learning_rate, settings.weight_decay, settings.beta2)
    return [adamw, Muon(modules, settings.matrix_learning_rate, settings.matrix_weight_decay)] if taken else [adamw]


def learning_rate_factor(step: int, num_steps: int, num_warmup: int) -> float:
    """Share of the peak rate: linear warm-up, then linear decay to zero over the other steps (Bergsma et al., 2025)."""
    return min(1.0, (step + 1) / max(1, num_warmup), (num_steps - step) / max(1, num_steps - num_warmup))
