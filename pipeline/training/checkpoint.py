"""The states of a training run: weights, the optimizers' moments, and how far it has come, one
safetensors file each.

A file is written under another name, hashed, and renamed to a name that holds the hash; no pickle
is involved. It always holds the full state: any number of processes continues what any other number
wrote. The hash is XXH3, which takes no longer than reading a file that is in memory still: damage
is to be found, not malice. Of several processes the first one alone writes and reads."""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from xxhash import xxh3_128

from corpora.errors import as_user_error, require
from pipeline.artifacts.files import publish
from pipeline.models.save import follow_umask
from pipeline.training.muon import Muon
from pipeline.training.processes import decide_together, fill, full_tensor, rank_and_world

WRITING_ERRORS = (SafetensorError, OSError)  # the first is no OSError even for a full disk
READING_ERRORS = (SafetensorError, OSError, KeyError, TypeError, RuntimeError)
Optimizers = list[torch.optim.Optimizer]


@dataclass
class Progress:
    """How far a run has come; a checkpoint's metadata."""

    step: int = 0  # optimizer steps done
    seconds: float = 0.0  # spent on them, over all resumes
    resumes: int = 0
    best_step: int = 0  # of the best validation so far
    best: float = math.inf  # its bits per byte


def save_checkpoint(
    folder: Path, model: torch.nn.Module, optimizers: Optimizers, progress: Progress, keep: int
) -> None:
    """Write the state after `progress.step` steps, and keep the last `keep` states and the best.

    All processes call it, the first one writes, and none returns before it's written: when one
    ends, torchrun ends the others. Raises UserError for a full disk.
    """
    tensors = full_state(model, optimizers)
    rank, world = rank_and_world()
    if rank == 0:
        write_state(folder, tensors, progress)
        remove_others(folder, progress, keep)
    if world > 1:
        dist.barrier()


def write_state(folder: Path, tensors: dict[str, torch.Tensor], progress: Progress) -> None:
    """Write a state under the name that holds its hash; raises UserError for a full disk."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / "checkpoint.tmp"
    advice = "Make room, then run the same command again."
    with as_user_error(f"{folder}: can't be written", advice, WRITING_ERRORS):
        save_file(tensors, temporary, {"progress": json.dumps(asdict(progress))})
        follow_umask(temporary)
        name = f"step-{progress.step:08d}-{hash_file(temporary)}.safetensors"
        publish(temporary, folder / name)


def full_state(model: torch.nn.Module, optimizers: Optimizers) -> dict[str, torch.Tensor]:
    """Weights and moments on the CPU, as kind.name; tied weights come once.

    All processes have to call it; only the first one gets the tensors.
    """
    rank, _ = rank_and_world()
    moments = {
        parameter: state for optimizer in optimizers for parameter, state in optimizer.state.items()
    }
    tensors = {}
    for name, parameter in model.named_parameters():
        state = {"model": parameter.detach(), **moments[parameter]}
        state.pop("step", None)  # AdamW's, which is that of the whole run
        for kind, tensor in state.items():
            value = full_tensor(tensor)
            if rank == 0:
                tensors[f"{kind}.{name}"] = value.contiguous().cpu()
    return tensors


def remove_others(folder: Path, progress: Progress, keep: int) -> None:
    """Keep the last `keep` checkpoints up to this step and the best one.

    Later ones are of a run that went back to an earlier step, because they were damaged.
    """
    checkpoints = find_checkpoints(folder)
    reached = [path for path in checkpoints if step_of(path) <= progress.step]
    kept = set(reached[:keep])
    kept.update(path for path in reached if step_of(path) == progress.best_step)
    for path in set(checkpoints) - kept:
        path.unlink()


def find_checkpoints(folder: Path) -> list[Path]:
    """All that are there, the latest first."""
    return sorted(folder.glob("step-*-*.safetensors"), reverse=True)


def step_of(path: Path) -> int:
    """The number of optimizer steps that a checkpoint's name says."""
    return int(path.name.split("-")[1])


def hash_file(path: Path) -> str:
    """The XXH3 of a file's bytes, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, xxh3_128).hexdigest()


def is_undamaged(path: Path) -> bool:
    """Whether a checkpoint's bytes have the hash that is in its name."""
    return hash_file(path) == path.stem.split("-")[2]


def last_undamaged(folder: Path) -> Path | None:
    """The latest undamaged checkpoint, or None where there's none yet; says which ones were passed
    over.

    Raises UserError if all are damaged. What versions of this project before XXH3 wrote counts as
    damaged.
    """
    checkpoints = find_checkpoints(folder)
    for path in checkpoints:
        if is_undamaged(path):
            return path
        print(
            f"pretrain: {path} is damaged, or of an earlier version of this project (its hash "
            "isn't the one in its name); falling back to the one before it",
            flush=True,
        )
    require(
        not checkpoints,
        f"{folder}: no whole checkpoint is left. Delete {folder} to start this stage again.",
    )
    return None


def load_checkpoint(path: Path, model: torch.nn.Module, optimizers: Optimizers) -> Progress:
    """Put a saved state back in place and return its progress.

    All processes call it; the first one reads the file and gives the others their parts. Raises
    UserError for a file of another model.
    """
    advice = f"Delete {path.parent} to start this stage again."
    rank, _ = rank_and_world()
    with as_user_error(f"{path}: can't be read", advice, READING_ERRORS), torch.no_grad():
        progress = decide_together(partial(read_progress, path))
        # Mapped, not read: a tensor's bytes are in memory while it's copied.
        find = load_file(path).__getitem__ if rank == 0 else find_nothing
        names = {parameter: name for name, parameter in model.named_parameters()}
        for parameter, name in names.items():
            fill(parameter, find(f"model.{name}"))
        for optimizer in optimizers:
            restore_moments(optimizer, find, names, progress.step)
    return progress


def read_progress(path: Path) -> Progress:
    """How far the run had come that wrote a checkpoint."""
    with safe_open(path, framework="pt") as file:
        return Progress(**json.loads(file.metadata()["progress"]))


def find_nothing(name: str) -> None:
    """What a process that doesn't read the file finds there."""


def restore_moments(
    optimizer: torch.optim.Optimizer,
    find: Callable[[str], torch.Tensor | None],
    names: dict[torch.nn.Parameter, str],
    step: int,
) -> None:
    """Give an optimizer the saved state of its parameters, under the names these have in the
    model; `find` gives the first process a saved tensor."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = new_state(optimizer, parameter)
            for moment, tensor in state.items():
                fill(tensor, find(f"{moment}.{names[parameter]}"))
            if isinstance(optimizer, torch.optim.AdamW):
                state["step"] = torch.tensor(float(step), device=parameter.device)
            optimizer.state[parameter] = state


def load_weights(path: Path, model: torch.nn.Module) -> None:
    """Put the weights of a checkpoint into a model that one process has in one piece."""
    saved = load_file(path)
    weights = {name: saved[f"model.{name}"] for name, _ in model.named_parameters()}
    model.load_state_dict(weights, strict=False)  # a tied head comes under one name only


def new_state(
    optimizer: torch.optim.Optimizer, parameter: torch.nn.Parameter
) -> dict[str, torch.Tensor]:
    """What an optimizer remembers of a parameter before its first step, besides the step."""
    if isinstance(optimizer, Muon):
        return optimizer.new_state(parameter)
    return {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
