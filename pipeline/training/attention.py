"""Causal attention for decoders without a mask tensor, so that torch takes its flash kernel and compiles it whole.

transformers builds a dense (B, 1, T, T) mask when a whole GPT-2 is compiled; naming an attention that it has no mask
function for makes it build none. Right for full sequences and for right padding (a pad can't be seen from its left),
wrong for left padding or a key-value cache, so generation keeps the stock attention.
"""
from torch.nn import functional as F
from transformers import AttentionInterface, PreTrainedModel

NAME = "causal_sdpa"


def causal_sdpa(module, query_BHTD, key_BHTD, value_BHTD, attention_mask, scaling=None, dropout=0.0, **_):
    """transformers' attention signature; returns the context vectors (B, T, H, D) and no weights."""
    if attention_mask is not None:
        raise ValueError(f"{NAME} takes no mask: it's for full or right-padded sequences only")
    context_BHTD = F.scaled_dot_product_attention(
        query_BHTD, key_BHTD, value_BHTD, dropout_p=dropout, scale=scaling, is_causal=True)
    return context_BHTD.transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, causal_sdpa)


def use_causal_sdpa(model: PreTrainedModel) -> None:
    """Switch a decoder to maskless causal attention, in memory only: a saved config.json doesn't name it."""
    model.set_attn_implementation(NAME)
