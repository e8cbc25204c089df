"""What the hardware can do and how its processes work together: device and precision, resolved once at the start and
never silently changed, and DDP or FSDP2 where torchrun started more than one process."""
import os
import sys

import torch
import torch.distributed as dist
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.nn.parallel import DistributedDataParallel

from corpora.errors import require


def resolve_device(wanted: str) -> str:
    """auto -> cuda, mps or cpu, whichever is there first; a device that was asked for and isn't there is an error."""
    found = [device for device in ("cuda", "mps", "cpu") if getattr(torch, device).is_available()]
    require(wanted in ("auto", *found),
            f"DEVICE={wanted}: torch finds no such device here. Use one of auto, {', '.join(found)}.")
    return found[0] if wanted == "auto" else wanted


def has_bf16(device: str) -> bool:
    """Whether bf16 matrix products are quick on this device, not merely emulated."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device == "cpu" and torch.cpu._is_avx512_bf16_supported()


def resolve_precision(wanted: str, device: str) -> str:
    """auto -> bf16 where the hardware has it, else fp32; a wish for bf16 that can't be met is an error."""
    require(wanted != "bf16" or has_bf16(device), f"precision=bf16: this {device} has no bf16 units. Use auto or fp32.")
    return "bf16" if wanted != "fp32" and has_bf16(device) else "fp32"


def autocast(device: str, precision: str) -> torch.autocast:
    """The context of a forward pass; `precision` is what resolve_precision returned."""
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bf16")


def join_processes(device: str) -> tuple[int, int]:
    """Rank and number of processes, from torchrun's environment; else 0 and 1. Raises UserError for too few GPUs."""
    if "WORLD_SIZE" in os.environ:
        if device == "cuda":
            rank, number = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
            require(rank < number, f"GPUS={os.environ.get('LOCAL_WORLD_SIZE')}: torch finds {number} here.")
            torch.cuda.set_device(rank)
        dist.init_process_group("nccl" if device == "cuda" else "gloo")
    return rank_and_world()


def leave_processes() -> None:
    """After the last work in common: all processes but the first end here."""
    if dist.is_initialized():
        dist.barrier()
        if dist.get_rank():
            end_process()


def end_process() -> None:
    """Exit at once. Taking process groups down, torch 2.13 with gloo and FSDP2 aborts now and then ("terminate called
    without an active exception"), which torchrun takes for a failure of the run."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def rank_and_world() -> tuple[int, int]:
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def distribute(losses: torch.nn.Module, parallel: str, precision: str) -> torch.nn.Module:
    """The module (a model that returns its loss) for as many processes as there are: as it is for one, replicated
    (ddp), or with weights, gradients and optimizer state spread over all, block by block (fsdp: FSDP2)."""
    _, world = rank_and_world()
    if world == 1:
        return losses
    if parallel == "ddp":
        return DistributedDataParallel(losses)
    policy = MixedPrecisionPolicy(torch.bfloat16, torch.float32) if precision == "bf16" else MixedPrecisionPolicy()
    mesh = dist.init_device_mesh(next(losses.parameters()).device.type, (world,))
    for block in losses.model.transformer.h:
        fully_shard(block, mesh=mesh, mp_policy=policy)
    return fully_shard(losses, mesh=mesh, mp_policy=policy)


def exchange_gradients(losses: torch.nn.Module, now: bool) -> None:
    """Whether the next backward pass averages the gradients over the processes: only a step's last has to."""
    if isinstance(losses, FSDPModule):
        losses.set_requires_gradient_sync(now)
    elif isinstance(losses, DistributedDataParallel):
        losses.require_backward_grad_sync = now  # what no_sync() sets


def total(values: list, device: str) -> list[float]:
    """Sums over all processes, which every process gets."""
    if not dist.is_initialized():
        return [float(value) for value in values]
    sums = torch.stack([torch.as_tensor(value, dtype=torch.float64).to(device) for value in values])
    dist.all_reduce(sums)
    return sums.tolist()
