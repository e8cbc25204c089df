"""Models from a folder, for any model class of transformers. Which folder a name means is
folder.py's business."""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from corpora.errors import as_user_error, require


def load_weights(
    auto_class: Any, folder: Path, name: str, config: PreTrainedConfig, new_head: bool = False
) -> PreTrainedModel:
    """A folder's model in fp32, from safetensors.

    `auto_class` is one of transformers' (AutoModelForCausalLM, ...), `name` what the user called
    the folder. Raises UserError when weights are missing, which would otherwise be random. With
    `new_head` only the trunk's have to be there, and no pooler, which a masked language model
    doesn't have.
    """
    with as_user_error(f"{name}: can't be loaded"):
        model, report = auto_class.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    missing = report["missing_keys"]
    if new_head:
        trunk = model.base_model_prefix + "."
        missing = [key for key in missing if key.startswith(trunk) and "pooler" not in key]
    require(
        not missing,
        f"{name}: its weights lack {len(missing)} tensors of the model, such as "
        f"{min(missing, default=None)}.",
    )
    return model


def is_causal(config: Any) -> bool:
    """Whether a model of this config reads one way: masked language models don't, unless they are
    told to be decoders."""
    is_masked_model = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return not is_masked_model or getattr(config, "is_decoder", False)


def load_text_model(folder: Path, device: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A folder's causal model on the device, in the precision it was saved in, and its tokenizer.

    Raises UserError for a folder without them, and for a masked language model.
    """
    with as_user_error(f"{folder}: can't be loaded"):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
    require(
        is_causal(config),
        f"{folder}: a {config.model_type}, which fills gaps and can't go on from a text.",
    )
    with as_user_error(f"{folder}: can't be loaded"):
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, use_safetensors=True, local_files_only=True
        )
    return model.to(device), tokenizer
