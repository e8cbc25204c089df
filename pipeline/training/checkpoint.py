"""The states of a training run: weights, the optimizers' moments, and the step as JSON metadata, one safetensors file
each. A file is written under another name, hashed, and renamed to a name that holds the hash; no pickle is involved.
Always the full state: any number of processes continues what any other number wrote."""
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from corpora.errors import as_user_error, require
from pipeline.artifacts.files import publish, sha256_file
from pipeline.training.device import rank_and_world
from pipeline.training.optimizer import Muon, like, whole

WRITING = (SafetensorError, OSError)  # safetensors' own error is no OSError even for a full disk
MOMENTS = {torch.optim.AdamW: ("exp_avg", "exp_avg_sq"), Muon: ("momentum",)}


def save_checkpoint(folder: Path, model: torch.nn.Module, optimizers: list, progress: dict, keep: int) -> None:
    """Write the state after `progress["step"]` optimizer steps; then remove all but the last `keep` and the best."""
    rank, _ = rank_and_world()
    tensors = {}
    states = {parameter: state for optimizer in optimizers for parameter, state in optimizer.state.items()}
    for name, parameter in model.named_parameters():  # tied weights come once
        for kind, tensor in {"model": parameter.detach(), **states[parameter]}.items():
            if kind != "step":  # AdamW's, which is that of the whole run
                tensor = whole(tensor)  # with all processes
                if rank == 0:
                    tensors[f"{kind}.{name}"] = tensor.contiguous().cpu()
    if rank:
        return
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / "checkpoint.tmp"
    with as_user_error(f"{folder}: can't be written", "Make room, then run the same command again.", WRITING):
        save_file(tensors, temporary, {"progress": json.dumps(progress)})
        publish(temporary, folder / f"step-{progress['step']:08d}-{sha256_file(temporary)[:16]}.safetensors")
    older = [path for path in find_checkpoints(folder) if step_of(path) <= progress["step"]]
    wanted = {*older[:keep], *(path for path in older if step_of(path) == progress["best_step"])}
    for path in set(find_checkpoints(folder)) - wanted:
        path.unlink()


def find_checkpoints(folder: Path) -> list[Path]:
    """The latest first."""
    return sorted(folder.glob("step-*-*.safetensors"), reverse=True)


def step_of(path: Path) -> int:
    return int(path.name.split("-")[1])


def is_whole(path: Path) -> bool:
    """Whether its bytes have the hash that is in its name."""
    return sha256_file(path).startswith(path.stem.split("-")[2])


def last_whole(folder: Path) -> Path | None:
    """The latest whole checkpoint, or None; says which ones were passed over. Raises UserError if all are damaged."""
    found = find_checkpoints(folder)
    for path in found:
        if is_whole(path):
            return path
        print(f"pretrain: {path} is damaged (SHA-256); falling back to the one before it", flush=True)
    require(not found, f"{folder}: no whole checkpoint is left. Delete {folder} to start this stage again.")
    return None


def load_checkpoint(path: Path, model: torch.nn.Module, optimizers: list) -> dict:
    """Put a saved state back in place and return its progress; raises UserError for a file of another model."""
    kinds = SafetensorError, OSError, KeyError, TypeError, RuntimeError
    with (as_user_error(f"{path}: can't be read", f"Delete {path.parent} to start this stage again.", kinds),
          safe_open(path, framework="pt") as file, torch.no_grad()):
        progress = json.loads(file.metadata()["progress"])
        names = {parameter: name for name, parameter in model.named_parameters()}
        for parameter, name in names.items():
            parameter.copy_(like(file.get_tensor(f"model.{name}"), parameter))
        for optimizer in optimizers:
            for parameter in (each for group in optimizer.param_groups for each in group["params"]):
                state = {moment: like(file.get_tensor(f"{moment}.{names[parameter]}"), parameter)
                         for moment in MOMENTS[type(optimizer)]}
                if isinstance(optimizer, torch.optim.AdamW):
                    state["step"] = torch.tensor(float(progress["step"]), device=parameter.device)
                optimizer.state[parameter] = state
    return progress
