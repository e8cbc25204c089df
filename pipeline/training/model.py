"""GPT-2 as transformers has it: from random weights at the settings' size, or from a folder to continue from."""
from pathlib import Path

import torch
from torch.nn import functional as F
from transformers import AutoConfig, AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, PreTrainedModel

from corpora import UserError, failing
from pipeline.model_folder import model_folder
from pipeline.training.attention import CAUSAL_SDPA


def make_model(settings, vocab_size: int, end_token_id: int, pad_token_id: int) -> GPT2LMHeadModel:
    """A GPT-2 in fp32 with maskless causal attention; raises UserError for a model to continue from that doesn't fit.
    The end token is also the one a text begins with: in training it stands before every document."""
    # Dropout would tie a step to the generator's state; one pass over enough text needs none.
    changes = {"bos_token_id": end_token_id, "eos_token_id": end_token_id, "pad_token_id": pad_token_id,
               "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    if settings.init:
        folder, name = model_folder(settings.init), f"INIT={settings.init}"
        with failing(f"{name}: can't be loaded"):
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type != "gpt2":
            raise UserError(f"{name}: a {config.model_type} model; pretraining continues GPT-2s only.")
        if vocab_size > config.vocab_size:
            raise UserError(f"{name}: its tokenizer has {vocab_size} tokens, the model only {config.vocab_size}.")
        if settings.context > config.n_positions:
            raise UserError(f"pretrain.context={settings.context}: {settings.init} has {config.n_positions} positions.")
        config.update(changes)
        model = load_weights(AutoModelForCausalLM, folder, name, config=config)
    else:
        torch.manual_seed(settings.seed)
        model = GPT2LMHeadModel(GPT2Config(vocab_size=vocab_size, n_positions=settings.context, n_embd=settings.width,
                                           n_layer=settings.layers, n_head=settings.heads, **changes))
    model.set_attn_implementation(CAUSAL_SDPA)  # in memory only: a saved config.json doesn't name it
    return model


def load_weights(kind: type, folder: Path, name: str, config, new_head: bool = False) -> PreTrainedModel:
    """A folder's model in fp32, from safetensors; raises UserError when weights are missing, which would be random.
    With `new_head` only the trunk's have to be there, without a pooler, which a masked language model doesn't have."""
    with failing(f"{name}: can't be loaded"):
        model, report = kind.from_pretrained(folder, config=config, dtype=torch.float32, use_safetensors=True,
                                             local_files_only=True, output_loading_info=True)
    trunk = model.base_model_prefix + "." if new_head else ""
    lost = [key for key in report["missing_keys"] if key.startswith(trunk) and not (new_head and "pooler" in key)]
    if lost:
        raise UserError(f"{name}: its weights lack {len(lost)} tensors of the model, such as {min(lost)}.")
    return model


def token_losses(model: GPT2LMHeadModel, ids_BT: torch.Tensor) -> torch.Tensor:
    """Sum of the cross-entropies, in nats, of ids (B, T + 1) predicted from what stands before them; -100 is skipped."""
    inputs_BT = ids_BT[:, :-1].masked_fill(ids_BT[:, :-1] < 0, model.config.eos_token_id)
    logits_BTV = model(input_ids=inputs_BT, use_cache=False).logits
    return F.cross_entropy(logits_BTV.flatten(0, 1).float(), ids_BT[:, 1:].reshape(-1), ignore_index=-100, reduction="sum")
