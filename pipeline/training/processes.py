"""torchrun's processes: how they join and leave, how they share a model (DDP or FSDP2), and how
their values come together. With one process all of this does nothing."""

import functools
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor
from torch.nn.parallel import DistributedDataParallel
from transformers import PreTrainedModel

from corpora.errors import UserError
from pipeline.models.gpt import auto_class_of, blocks_of
from pipeline.models.losses import TokenLosses
from pipeline.torchrun import end_process
from pipeline.training.interruption import SIGNALS

Decision = TypeVar("Decision")
LONGEST_WAIT = timedelta(hours=1)
"""For another process: while the first one writes a large state to a slow disk the others wait,
and NCCL's own 10 minutes may be too few."""


def join_processes(device: str) -> tuple[int, int]:
    """Rank and number of processes, from torchrun's environment; else 0 and 1."""
    if "WORLD_SIZE" in os.environ:
        device_id = None
        if device == "cuda":
            device_id = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(device_id)
        # With gloo for the CPU's values, exchanging these doesn't wait for the GPUs.
        backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
        # Waiting for a process that has ended, torch lets no handler of Python's run. Nothing is
        # lost yet by ending at once.
        handlers = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
        dist.init_process_group(backend, timeout=LONGEST_WAIT, device_id=device_id)
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


def decide_together(decide: Callable[[], Decision]) -> Decision:
    """What the first process decides, for all of them. Its UserError is raised by all."""
    if not dist.is_initialized():
        return decide()
    shared: list[Decision | UserError | None] = [None]
    if dist.get_rank() == 0:
        try:
            shared = [decide()]
        except UserError as error:
            shared = [error]
    dist.broadcast_object_list(shared, src=0)
    (decision,) = shared
    if isinstance(decision, UserError):
        raise decision
    return cast(Decision, decision)


def distribute(losses: TokenLosses, parallel: str) -> torch.nn.Module:
    """The module for as many processes as there are.

    As it is for one, replicated (ddp), or with weights, gradients and optimizer state spread over
    all, block by block (fsdp: FSDP2). With fsdp, too, what comes together are fp32 weights, and
    autocast makes bf16 of them where it does so in one process: FSDP2's own bf16 policy would keep
    the embeddings, the norms and what passes between the blocks in bf16, and train other numbers.
    """
    _, world = rank_and_world()
    if world == 1:
        return losses
    if parallel == "ddp":
        # The only buffers are transformers' causal masks, which never change.
        return DistributedDataParallel(
            losses, forward_sync_buffers=False, gradient_as_bucket_view=True
        )
    mesh = mesh_of(losses.model.device.type)
    for block in blocks_of(losses.model):
        fully_shard(block, mesh=mesh)
    fully_shard(losses, mesh=mesh)
    return losses


@functools.cache
def mesh_of(device: str) -> DeviceMesh:
    """All processes in a row."""
    _, world = rank_and_world()
    return init_device_mesh(device, (world,))


def exchange_gradients(losses: torch.nn.Module, is_last: bool) -> None:
    """Say whether the next backward pass is a step's last: with ddp only that one averages the
    gradients over the processes.

    With fsdp every one does: a process would have to hold the gradients of the whole model until
    then.
    """
    if isinstance(losses, DistributedDataParallel):
        losses.require_backward_grad_sync = is_last  # what no_sync() sets


@contextmanager
def embeddings_gathered(losses: torch.nn.Module) -> Iterator[None]:
    """Within it the model that is spread (fsdp) can be called past `losses`, by all processes
    alike: blocks come together by themselves, what is outside of them does only here."""
    if not isinstance(losses, FSDPModule):
        yield
        return
    losses.unshard()
    yield
    losses.reshard()


def all_reduce_sum(values: Sequence[torch.Tensor | float], device: str) -> list[float]:
    """Sums over all processes, which every process gets."""
    if not dist.is_initialized():
        return [float(value) for value in values]
    sums = torch.stack([torch.as_tensor(value, dtype=torch.float64).to(device) for value in values])
    dist.all_reduce(sums)
    return sums.tolist()


def all_reduce_mean(value: torch.Tensor) -> torch.Tensor:
    """The mean over all processes, left on its device: the CPU doesn't wait for a GPU's."""
    _, world = rank_and_world()
    if world > 1:
        dist.all_reduce(value)
    return value / world


def full_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """A sharded tensor's full value, for which all processes have to call; others as they are."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def replicated(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A value that every process has in full, so that it can be reckoned with beside `like`."""
    if not isinstance(like, DTensor):
        return value
    return DTensor.from_local(value, like.device_mesh, [Replicate()])


def fill(tensor: torch.Tensor, value: torch.Tensor | None) -> None:
    """Give a parameter or a moment its full value, which only the first process has to have: it
    sends the others theirs, each its shard where the tensor is sharded. All have to call."""
    _, world = rank_and_world()
    if value is None:
        value = torch.empty(tensor.shape, dtype=tensor.dtype, device=tensor.device)
    value = value.to(tensor.device)
    if isinstance(tensor, DTensor):
        value = distribute_tensor(value, tensor.device_mesh, tensor.placements)
    elif world > 1:
        dist.broadcast(value, src=0)
    tensor.copy_(value)


def share_work(
    tensors: list[torch.Tensor], work: Callable[[torch.Tensor], torch.Tensor]
) -> list[torch.Tensor]:
    """`work` done to a stack of tensors of one shape, (N, ...) to (N, ...), each process doing its
    part of the N. All have to call.

    Sharded tensors (fsdp) come back sharded: nobody holds more than a part of the N in one piece.
    """
    _, world = rank_and_world()
    stack = torch.stack(tensors)
    if world == 1:
        return list(work(stack).unbind())
    is_sharded = isinstance(stack, DTensor)
    if not isinstance(stack, DTensor):
        stack = DTensor.from_local(stack, mesh_of(stack.device.type), [Replicate()])
    by_process = [Shard(0)]
    own = stack.redistribute(placements=by_process).to_local()
    done = DTensor.from_local(
        work(own), stack.device_mesh, by_process, shape=stack.shape, stride=stack.stride()
    )
    placed = done.redistribute(placements=stack.placements)
    return list((placed if is_sharded else placed.to_local()).unbind())


def gather_model(model: PreTrainedModel) -> PreTrainedModel | None:
    """The model in one piece: itself, or a copy on the CPU of one that is spread over processes.

    All processes call it. Of a model that is spread only the first one gets a copy, the others get
    None.
    """
    if not any(isinstance(parameter, DTensor) for parameter in model.parameters()):
        return model
    rank, _ = rank_and_world()
    copy = None
    if rank == 0:
        config = deepcopy(model.config)
        copy = auto_class_of(config).from_config(config, dtype=torch.float32)
    for name, parameter in model.named_parameters():
        weight = full_tensor(parameter.detach())
        if copy is not None:
            copy.get_parameter(name).data.copy_(weight)
    return copy
