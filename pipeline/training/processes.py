"""torchrun's processes: how they join and leave, how they share a model (DDP or FSDP2), and how
their values come together. With one process all of this does nothing."""

import os
import signal
from collections.abc import Sequence
from copy import deepcopy

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel
from transformers import AutoModelForCausalLM, PreTrainedModel

from pipeline.models.gpt import blocks_of
from pipeline.models.losses import TokenLosses
from pipeline.torchrun import end_process
from pipeline.training.interruption import SIGNALS


def join_processes(device: str) -> tuple[int, int]:
    """Rank and number of processes, from torchrun's environment; else 0 and 1."""
    if "WORLD_SIZE" in os.environ:
        if device == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        # Waiting for a process that has ended, torch lets no handler of Python's run. Nothing is
        # lost yet by ending at once.
        handlers = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
        dist.init_process_group("nccl" if device == "cuda" else "gloo")
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return rank_and_world()


def leave_processes() -> None:
    """After the last work in common: all processes but the first end here."""
    if dist.is_initialized():
        dist.barrier()
        if dist.get_rank() > 0:
            end_process()


def rank_and_world() -> tuple[int, int]:
    """This process's number, from 0, and how many there are."""
    if not dist.is_initialized():
        return 0, 1
    return dist.get_rank(), dist.get_world_size()


def distribute(losses: TokenLosses, parallel: str, precision: str) -> torch.nn.Module:
    """The module for as many processes as there are.

    As it is for one, replicated (ddp), or with weights, gradients and optimizer state spread over
    all, block by block (fsdp: FSDP2).
    """
    _, world = rank_and_world()
    if world == 1:
        return losses
    if parallel == "ddp":
        return DistributedDataParallel(losses)
    if precision == "bf16":
        policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    else:
        policy = MixedPrecisionPolicy()
    mesh = init_device_mesh(losses.model.device.type, (world,))
    for block in blocks_of(losses.model):
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(losses, mesh=mesh, mp_policy=policy)
    return losses


def exchange_gradients(losses: torch.nn.Module, is_last: bool) -> None:
    """Say whether the next backward pass is a step's last: only that one averages the gradients
    over the processes."""
    if isinstance(losses, FSDPModule):
        losses.set_requires_gradient_sync(is_last)
    elif isinstance(losses, DistributedDataParallel):
        losses.require_backward_grad_sync = is_last  # what no_sync() sets


def all_reduce_sum(values: Sequence[torch.Tensor | float], device: str) -> list[float]:
    """Sums over all processes, which every process gets."""
    if not dist.is_initialized():
        return [float(value) for value in values]
    sums = torch.stack([torch.as_tensor(value, dtype=torch.float64).to(device) for value in values])
    dist.all_reduce(sums)
    return sums.tolist()


def full_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """A sharded tensor's full value, for which all processes have to call; others as they are."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def place_like(value: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """A full value placed as the parameter is: on its device, and sharded where it's sharded."""
    value = value.to(parameter.device)
    if isinstance(parameter, DTensor):
        mesh = parameter.device_mesh
        return distribute_tensor(value, mesh, parameter.placements, src_data_rank=None)
    return value


def gather_model(model: PreTrainedModel) -> PreTrainedModel | None:
    """The model in one piece: itself, or a copy on the CPU of one that is spread over processes.

    All processes call it. Of a model that is spread only the first one gets a copy, the others get
    None.
    """
    if not any(isinstance(parameter, DTensor) for parameter in model.parameters()):
        return model
    weights = {name: full_tensor(each.detach()).cpu() for name, each in model.named_parameters()}
    rank, _ = rank_and_world()
    if rank > 0:
        return None
    copy = AutoModelForCausalLM.from_config(deepcopy(model.config), dtype=torch.float32)
    copy.load_state_dict(weights, strict=False)  # a tied head comes under one name only
    copy.tie_weights()
    return copy
