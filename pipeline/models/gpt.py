"""The GPTs, and BERT, as transformers has them: from random weights at the settings' size, or from
a folder to continue from; and the parts that all of them have. Their losses are in losses.py,
sampling from them is in generate.py."""

from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    PreTrainedConfig,
    PreTrainedModel,
)

from corpora.errors import as_user_error, require
from pipeline.models.attention import quickest, use_gpt1_attention
from pipeline.models.folder import MODEL_TYPES, model_folder, require_continuable
from pipeline.models.load import load_weights
from pipeline.settings import PretrainSettings

NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
"""Dropout would tie a step to the generator's state; one pass over enough text needs none."""
NO_GPT_NEO_DROPOUT = {"resid_dropout": 0.0, "embed_dropout": 0.0, "attention_dropout": 0.0}
"""GPTNeo's have names of their own. In a new model they are 0 already."""
NO_BERT_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def make_model(
    settings: PretrainSettings,
    vocab_size: int,
    end_token_id: int,
    pad_token_id: int,
    device: str = "cpu",
) -> PreTrainedModel:
    """A model in fp32 on the CPU, with the attention that is quickest on `device`, and gradient
    checkpointing where the settings have it.

    The end token is also the one a text begins with: in training it stands before every document.
    Raises UserError for a model to continue that doesn't fit, and for what an architecture can't
    do.
    """
    require_supported(settings)
    tokens = {
        "bos_token_id": end_token_id,
        "eos_token_id": end_token_id,
        "pad_token_id": pad_token_id,
    }
    # In memory only: config.json doesn't name it.
    kind = "both_ways" if settings.architecture == "bert" else "causal"
    attention = quickest(device, settings.context, kind)
    if settings.init:
        model = continue_model(settings, vocab_size, tokens, attention)
    else:
        torch.manual_seed(settings.seed)
        config = make_config(settings, vocab_size, tokens)
        model = auto_class_of(config).from_config(
            config, dtype=torch.float32, attn_implementation=attention
        )
        if settings.architecture == "gpt3":
            scale_queries(model)
    if settings.architecture == "gpt":
        use_gpt1_attention(model)
    if settings.gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    return model


def require_supported(settings: PretrainSettings) -> None:
    """Raise UserError for a setting that the architecture doesn't have."""
    lacking = {
        "gpt": ("document_masking", "gradient_checkpointing"),
        "gpt2": (),
        "gpt3": ("document_masking",),
        "bert": (),
    }
    require(
        not settings.masked_share or settings.architecture == "gpt2",
        f"pretrain.masked_share={settings.masked_share:g}: is for architecture=gpt2; bert has no "
        "other steps.",
    )
    for name in lacking[settings.architecture]:
        require(
            not getattr(settings, name),
            f"pretrain.{name}=true: architecture={settings.architecture} doesn't have it.",
        )


def make_config(
    settings: PretrainSettings, vocab_size: int, tokens: dict[str, int]
) -> PreTrainedConfig:
    """The config of a new model.

    GPT-1 (norms after the blocks), GPT-2 (norms before), or GPT-3: norms before, and every other
    layer's attention banded (Brown et al., 2020, section 2.1). BERT, too, has its norms after.
    """
    if settings.architecture == "gpt3":
        kinds = ["local" if layer % 2 else "global" for layer in range(settings.layers)]
        special: dict[str, Any] = {
            "attention_types": [[kinds, 1]],
            "window_size": settings.context // 4,
        }
    elif settings.architecture == "bert":
        special = NO_BERT_DROPOUT | {"intermediate_size": 4 * settings.width}
    else:
        special = NO_DROPOUT
    return AutoConfig.for_model(
        MODEL_TYPES[settings.architecture],
        vocab_size=vocab_size,
        hidden_size=settings.width,
        max_position_embeddings=settings.context,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        tie_word_embeddings=settings.tied_head,
        **tokens,
        **special,
    )


def scale_queries(model: PreTrainedModel) -> None:
    """Make GPTNeo's query weights as small, in place, as those that GPT-3's scores come from.

    GPT-3 divides the scores (Vaswani et al., 2017, section 3.2.1), GPTNeo doesn't.
    """
    with torch.no_grad():
        for weight in unscaled_queries_of(model):
            weight.mul_(query_scale(model))


def continue_model(
    settings: PretrainSettings, vocab_size: int, tokens: dict[str, int], attention: str
) -> PreTrainedModel:
    """The model that INIT= names, with our special tokens and without dropout.

    Raises UserError for one of another architecture, with too few tokens or too few positions.
    """
    name = f"INIT={settings.init}"
    folder = model_folder(settings.init)
    require_continuable(settings, folder)
    with as_user_error(f"{name}: can't be loaded"):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
    require(
        vocab_size <= config.vocab_size,
        f"{name}: its tokenizer has {vocab_size} tokens, the model only {config.vocab_size}.",
    )
    changes = tokens | NO_DROPOUT | NO_GPT_NEO_DROPOUT | NO_BERT_DROPOUT
    config.update({key: value for key, value in changes.items() if hasattr(config, key)})
    config._attn_implementation = attention
    return load_weights(auto_class_of(config), folder, name, config)


def auto_class_of(config: PreTrainedConfig) -> Any:
    """The class of transformers that makes and loads a model of this config with its head."""
    is_masked = config.model_type == MODEL_TYPES["bert"]
    return AutoModelForMaskedLM if is_masked else AutoModelForCausalLM


def is_bert(model: PreTrainedModel) -> bool:
    """Whether a model reads both ways, and predicts hidden words alone."""
    return model.config.model_type == MODEL_TYPES["bert"]


def blocks_of(model: PreTrainedModel) -> torch.nn.ModuleList:
    """The transformer blocks, first to last; all the GPTs call them transformer.h."""
    name = "bert.encoder.layer" if is_bert(model) else "transformer.h"
    blocks = model.get_submodule(name)
    if not isinstance(blocks, torch.nn.ModuleList):
        raise TypeError(f"{type(model).__name__}: {name} is no list of blocks")
    return blocks


def renew_blocks(model: PreTrainedModel, fresh: PreTrainedModel, first: int) -> None:
    """Give a model the blocks of another of its kind, from number `first` on, and a new norm behind
    them if it has one."""
    for block, other in zip(blocks_of(model)[first:], blocks_of(fresh)[first:]):
        block.load_state_dict(other.state_dict())
    norm = getattr(model.base_model, "ln_f", None)
    if norm is not None and first < len(blocks_of(model)):
        norm.reset_parameters()


def head_of(model: PreTrainedModel) -> tuple[torch.nn.Parameter, torch.nn.Parameter | None]:
    """The weight (V, C) that makes logits of hidden states, often the embeddings' own, and the bias
    (V), which BERT's head has."""
    if is_bert(model):
        decoder = "cls.predictions.decoder"
        return model.get_parameter(f"{decoder}.weight"), model.get_parameter(f"{decoder}.bias")
    return model.get_parameter("lm_head.weight"), None


def unscaled_queries_of(model: PreTrainedModel) -> list[torch.nn.Parameter]:
    """The query weights of a model that doesn't divide its scores: GPTNeo, of the GPTs."""
    named = blocks_of(model).named_parameters()
    return [weight for name, weight in named if name.endswith("q_proj.weight")]


def query_scale(model: PreTrainedModel) -> float:
    """What other GPTs multiply scores by: 1 over the root of a head's width."""
    config = model.config
    return (config.hidden_size // config.num_attention_heads) ** -0.5
