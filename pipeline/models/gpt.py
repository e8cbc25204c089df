"""The GPTs as transformers has them: from random weights at the settings' size, or from a folder to continue from; their
loss, and text sampled from them."""
from pathlib import Path

import torch
from torch.nn import functional as F
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from corpora.errors import as_user_error, require
from pipeline.models.attention import quickest
from pipeline.models.folder import model_folder

MODEL_TYPES = {"gpt": "openai-gpt", "gpt2": "gpt2", "gpt3": "gpt_neo"}


def make_config(settings, vocab_size: int, changes: dict):
    """GPT-1 (post-norm), GPT-2 (pre-norm), or GPT-3: pre-norm, every other layer banded (Brown et al., 2020, 2.1)."""
    if settings.architecture == "gpt3":
        kinds = [["global", "local"][number % 2] for number in range(settings.layers)]
        changes = {key: value for key, value in changes.items() if not key.endswith("pdrop")}  # has its own, 0 already
        changes |= {"attention_types": [[kinds, 1]], "window_size": settings.context // 4}
    return AutoConfig.for_model(MODEL_TYPES[settings.architecture], vocab_size=vocab_size, hidden_size=settings.width,
                                max_position_embeddings=settings.context, num_hidden_layers=settings.layers,
                                num_attention_heads=settings.heads, tie_word_embeddings=settings.tied_head, **changes)


def make_model(settings, vocab_size: int, end_token_id: int, pad_token_id: int, device: str = "cpu") -> PreTrainedModel:
    """A model in fp32; raises UserError for one to continue that doesn't fit, and for what an architecture can't do.
    The end token is also the one a text begins with: in training it stands before every document."""
    # Dropout would tie a step to the generator's state; one pass over enough text needs none.
    changes = {"bos_token_id": end_token_id, "eos_token_id": end_token_id, "pad_token_id": pad_token_id,
               "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    wanted, known = settings.architecture, MODEL_TYPES[settings.architecture]
    for name in ("compile", "document_masking", "gradient_checkpointing"):
        require(wanted == "gpt2" or not getattr(settings, name),
                f"pretrain.{name}=true: architecture={wanted} doesn't have it: only gpt2 does.")
    if settings.init:
        folder, name = model_folder(settings.init), f"INIT={settings.init}"
        with as_user_error(f"{name}: can't be loaded"):
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
        require(config.model_type == known,
                f"{name}: a {config.model_type} model, but pretrain.architecture={wanted} means {known}.")
        require(vocab_size <= config.vocab_size,
                f"{name}: its tokenizer has {vocab_size} tokens, the model only {config.vocab_size}.")
        require(settings.context <= config.max_position_embeddings, f"pretrain.context={settings.context}: "
                f"{settings.init} has {config.max_position_embeddings} positions.")
        config.update({name: value for name, value in changes.items() if hasattr(config, name)})
        model = load_weights(AutoModelForCausalLM, folder, name, config=config)
    else:
        torch.manual_seed(settings.seed)
        model = AutoModelForCausalLM.from_config(make_config(settings, vocab_size, changes), dtype=torch.float32)
    if wanted == "gpt2":
        model.set_attn_implementation(quickest(device, settings.context))  # in memory: config.json doesn't name it
    return model


def load_weights(kind: type, folder: Path, name: str, config, new_head: bool = False) -> PreTrainedModel:
    """A folder's model in fp32, from safetensors; raises UserError when weights are missing, which would be random.
    With `new_head` only the trunk's have to be there, without a pooler, which a masked language model doesn't have."""
    with as_user_error(f"{name}: can't be loaded"):
        model, report = kind.from_pretrained(folder, config=config, dtype=torch.float32, use_safetensors=True,
                                             local_files_only=True, output_loading_info=True)
    trunk = model.base_model_prefix + "." if new_head else ""
    lost = [key for key in report["missing_keys"] if key.startswith(trunk) and not (new_head and "pooler" in key)]
    require(not lost, f"{name}: its weights lack {len(lost)} tensors of the model, such as {min(lost, default=None)}.")
    return model


class TokenLosses(torch.nn.Module):
    """A model as a function of ids (B, T + 1): the sum, in nats, of the cross-entropies of the last T given what stands
    before each. A target of -100 is skipped.

    With `compile`, each block and the loss are compiled by themselves: the blocks are alike, so one is enough for all.
    With `document_masking` attention stays within a document, and positions start again at its end token."""

    def __init__(self, model: PreTrainedModel, compile: bool = False, document_masking: bool = False):
        super().__init__()
        self.model, self.document_masking = model, document_masking
        self.cross_entropies = torch.compile(cross_entropies, dynamic=False) if compile else cross_entropies
        for block in model.transformer.h if compile else ():
            block.compile(dynamic=False)

    def forward(self, ids_BT: torch.Tensor) -> torch.Tensor:
        end = self.model.config.eos_token_id
        inputs_BT = ids_BT[:, :-1].masked_fill(ids_BT[:, :-1] < 0, end)
        documents = separate_documents(inputs_BT == end) if self.document_masking else {}
        hidden_BTC = self.model.transformer(input_ids=inputs_BT, use_cache=False, **documents).last_hidden_state
        return self.cross_entropies(hidden_BTC, self.model.lm_head.weight, ids_BT[:, 1:])


def cross_entropies(hidden_BTC: torch.Tensor, head_VC: torch.Tensor, targets_BT: torch.Tensor) -> torch.Tensor:
    logits_NV = F.linear(hidden_BTC, head_VC).flatten(0, 1).float()
    return F.cross_entropy(logits_NV, targets_BT.flatten(), ignore_index=-100, reduction="sum")


def separate_documents(starts_BT: torch.Tensor) -> dict[str, torch.Tensor]:
    """Positions (B, T) and an additive mask (B, 1, T, T) for documents that begin where `starts_BT` says."""
    T = starts_BT.shape[1]
    order_T = torch.arange(T, device=starts_BT.device)
    begun_BT = torch.where(starts_BT, order_T, 0).cummax(1).values
    seen_BTT = (begun_BT[:, :, None] == begun_BT[:, None, :]) & (order_T[:, None] >= order_T)
    mask_B1TT = torch.zeros(seen_BTT.shape, device=starts_BT.device).masked_fill(~seen_BTT, -torch.inf)[:, None]
    return {"position_ids": order_T - begun_BT, "attention_mask": mask_B1TT}


def continue_text(model, tokenizer, prompt: str, num_tokens: int, seed: int, num_texts: int = 1,
                  use_cache: bool = True) -> list[str]:
    """`num_texts` sampled continuations of the prompt, each with the prompt and up to `num_tokens` tokens, by a seed of
    their own, so that training isn't disturbed. Raises UserError for a prompt that fills the model's positions. The
    maskless attention of training needs `use_cache=False`: it isn't made for one query at a time."""
    # The end token stands before every document in training, so a text begins with it.
    start = [model.config.bos_token_id, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
    num_tokens = min(num_tokens, model.config.max_position_embeddings - len(start))
    require(num_tokens > 0, f"The prompt's {len(start) - 1} tokens fill the model's context: shorten it.")
    ids_1T = torch.tensor([start], device=model.device)
    was_training = model.training
    model.eval()
    # A model that is being trained may be compiled, which every new length would do again.
    with (torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []),
          torch.compiler.set_stance("force_eager")):
        torch.manual_seed(seed)
        output_NT = model.generate(ids_1T, attention_mask=torch.ones_like(ids_1T), max_new_tokens=num_tokens,
                                   do_sample=True, temperature=0.8, top_k=50, num_return_sequences=num_texts,
                                   use_cache=use_cache, pad_token_id=tokenizer.pad_token_id)
    model.train(was_training)
    return [tokenizer.decode(ids_T[1:], skip_special_tokens=True) for ids_T in output_NT]
