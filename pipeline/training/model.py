"""GPT-2 as transformers has it: from random weights at the settings' size, or from a folder to continue from."""
import torch
from safetensors import SafetensorError
from torch.nn import functional as F
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from corpora import UserError
from pipeline.model_folder import model_folder
from pipeline.training.attention import use_causal_sdpa


def make_model(settings, vocab_size: int, end_token_id: int, pad_token_id: int) -> GPT2LMHeadModel:
    """A GPT-2 in fp32 with maskless causal attention.

    The end token is also the one a text begins with: in training it stands before every document.
    """
    if settings.init:
        model = load_gpt2(settings.init)
        if vocab_size > model.config.vocab_size:
            raise UserError(f"INIT={settings.init}: its tokenizer has {vocab_size} tokens, the model only "
                            f"{model.config.vocab_size}.")
        if settings.context > model.config.n_positions:
            raise UserError(f"pretrain.context={settings.context}: {settings.init} has {model.config.n_positions} positions.")
    else:
        torch.manual_seed(settings.seed)
        model = GPT2LMHeadModel(GPT2Config(vocab_size=vocab_size, n_positions=settings.context, n_embd=settings.width,
                                           n_layer=settings.layers, n_head=settings.heads, bos_token_id=end_token_id,
                                           eos_token_id=end_token_id, pad_token_id=pad_token_id))
    model.config.bos_token_id = model.config.eos_token_id = end_token_id
    model.config.pad_token_id = pad_token_id
    # Dropout would tie a step to the generator's state; one pass over enough text needs none.
    for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop"):
        setattr(model.config, name, 0.0)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    use_causal_sdpa(model)
    return model


def load_gpt2(init: str) -> GPT2LMHeadModel:
    """A GPT-2 from a folder or from name@commit; raises UserError unless all of its weights are there."""
    folder = model_folder(init)
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, output_loading_info=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise UserError(f"INIT={init}: the model can't be loaded ({error}).") from None
    if model.config.model_type != "gpt2":
        raise UserError(f"INIT={init}: a {model.config.model_type} model; pretraining continues GPT-2s only.")
    if report["missing_keys"]:
        raise UserError(f"INIT={init}: its weights lack {len(report['missing_keys'])} tensors of the model, such as "
                        f"{min(report['missing_keys'])}.")
    return model


def token_losses(model: GPT2LMHeadModel, ids_BT: torch.Tensor) -> torch.Tensor:
    """Sum of the cross-entropies, in nats, of ids (B, T + 1) predicted from what stands before them; -100 is skipped."""
    inputs_BT = ids_BT[:, :-1].masked_fill(ids_BT[:, :-1] < 0, model.config.eos_token_id)
    logits_BTV = model(input_ids=inputs_BT, use_cache=False).logits
    return F.cross_entropy(logits_BTV.flatten(0, 1).float(), ids_BT[:, 1:].reshape(-1), ignore_index=-100, reduction="sum")
