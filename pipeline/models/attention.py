"""Causal attention for decoders without a mask tensor, so that torch takes its flash kernel and compiles it whole.

transformers builds a dense (B, 1, T, T) mask when a whole GPT-2 is compiled; naming an attention that it has no mask
function for makes it build none: causal_sdpa is its own SDPA by another name. Right for full sequences and for right
padding (a pad can't be seen from its left), wrong for left padding or a key-value cache, so generation keeps the stock
attention. A mask that is given is additive, (B, 1, T, T), and has to be causal itself."""
import math

import torch
from torch.nn import functional as F
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward as causal_sdpa


def quickest(device: str, length: int) -> str:
    """The name of the quicker of the two for sequences of up to `length` tokens."""
    return "causal_matmul" if device == "cpu" and length <= 512 else "causal_sdpa"


def causal_matmul(module, query_BHTD, key_BHTD, value_BHTD, attention_mask, scaling=None, dropout=0.0, **_):
    """transformers' attention signature; returns the context vectors (B, T, H, D) and no weights. On a CPU at up to 512
    tokens, SDPA's bf16 kernel takes two to four times as long, most of it in the backward pass."""
    B, H, T, D = query_BHTD.shape
    if attention_mask is None:
        mask_TT = torch.full((T, T), -math.inf, dtype=query_BHTD.dtype, device=query_BHTD.device).triu(1)
        mask_NTT = mask_TT.expand(B * H, T, T)
    else:
        mask_NTT = attention_mask.to(query_BHTD.dtype).expand(B, H, T, T).flatten(0, 1)
    scores_NTT = torch.baddbmm(mask_NTT, query_BHTD.flatten(0, 1), key_BHTD.flatten(0, 1).transpose(1, 2),
                               alpha=scaling or D**-0.5)
    weights_NTT = F.dropout(scores_NTT.softmax(-1), dropout, module.training)
    return (weights_NTT @ value_BHTD.flatten(0, 1)).view(B, H, T, D).transpose(1, 2).contiguous(), None


AttentionInterface.register("causal_sdpa", causal_sdpa)
AttentionInterface.register("causal_matmul", causal_matmul)
