"""A fine-tuned model's weights and config, as transformers' own classes load them."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import PreTrainedModel

from corpora.errors import as_user_error
from pipeline.models.save import follow_umask

LAST_NORM = {"gpt2": "ln_f", "gpt_neo": "ln_f", "openai-gpt": "h.-1.ln_2"}
"""What a model of a type ends with, before its head."""


@torch.no_grad()
def fold_scale(model: PreTrainedModel, center: float, scale: float) -> bool:
    """Make a head of one output that was trained on (y - center) / scale say y.

    A head without a bias gets the center through the norm before it: with weight w and a norm's
    bias b, w (b + c w / |w|^2) = w b + c. Returns False, and changes nothing, for a head without
    one behind a norm that isn't known.
    """
    head = [each for each in model.modules() if isinstance(each, nn.Linear)][-1]
    if head.bias is not None:
        head.weight.mul_(scale)
        head.bias.mul_(scale).add_(center)
        return True
    path = LAST_NORM.get(model.config.model_type)
    if path is None:
        return False
    last_block = f"h.{model.config.num_hidden_layers - 1}"
    bias = model.base_model.get_submodule(path.replace("h.-1", last_block)).get_parameter("bias")
    head.weight.mul_(scale)
    direction_C = head.weight[0] / head.weight[0].square().sum()
    bias.add_(center * direction_C)
    return True


def save_weights(model: PreTrainedModel, folder: Path) -> None:
    """Write weights and config; raises UserError for a full disk."""
    advice = "Make room, then run the same command again."
    with as_user_error(f"{folder}: can't be written", advice, (SafetensorError, OSError)):
        model.save_pretrained(folder)
    for path in folder.glob("*.safetensors"):
        follow_umask(path)
