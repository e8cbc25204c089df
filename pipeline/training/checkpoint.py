"""The state of a training run in one safetensors file: weights, AdamW's moments, and the step as JSON metadata. One
file, written under another name and renamed, is either the old state or the new one; no pickle is involved."""
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from corpora import failing
from pipeline.artifact import replace

MOMENTS = ("exp_avg", "exp_avg_sq")


def save_checkpoint(path: Path, model: torch.nn.Module, optimizer: torch.optim.AdamW, progress: dict) -> None:
    """Write the state after `progress["step"]` optimizer steps."""
    tensors = {}
    for name, parameter in model.named_parameters():  # tied weights come once
        tensors[f"model.{name}"] = parameter.detach().contiguous().cpu()
        for moment in MOMENTS:
            tensors[f"{moment}.{name}"] = optimizer.state[parameter][moment].contiguous().cpu()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    # safetensors' own error is no OSError even for a full disk
    with failing(f"{path}: can't be written", "Make room, then run the same command again.", SafetensorError):
        save_file(tensors, temporary, {"progress": json.dumps(progress)})
    replace(temporary, path)


def load_checkpoint(path: Path, model: torch.nn.Module, optimizer: torch.optim.AdamW) -> dict:
    """Put a saved state back in place and return its progress; raises UserError for a file that isn't whole."""
    kinds = SafetensorError, OSError, KeyError, TypeError, RuntimeError
    with (failing(f"{path}: can't be read", f"Delete {path.parent} to start this stage again.", kinds),
          safe_open(path, framework="pt") as file, torch.no_grad()):
        progress = json.loads(file.metadata()["progress"])
        for name, parameter in model.named_parameters():
            parameter.copy_(file.get_tensor(f"model.{name}"))
            moments = {moment: file.get_tensor(f"{moment}.{name}").to(parameter.device) for moment in MOMENTS}
            step = torch.tensor(float(progress["step"]), device=parameter.device)
            optimizer.state[parameter] = {"step": step, **moments}
    return progress
