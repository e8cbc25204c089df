"""Causal attention for decoders without a mask tensor, so that torch takes its flash kernel and
compiles a block whole.

transformers builds a dense (B, 1, T, T) mask when a whole GPT-2 is compiled. An attention that it
has no mask function for gets none: causal_sdpa is transformers' own SDPA under another name. Both
functions here are right for full sequences and for right padding (a pad can't be seen from its
left), and wrong for left padding or a key-value cache, so generation keeps the stock attention. A
mask that is given is additive, (B, 1, T, T), and has to be causal itself."""

import math
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward as causal_sdpa

LONGEST_FOR_MATMUL = 512
"""Tokens up to which SDPA's bf16 kernel takes two to four times as long on a CPU, most of it in the
backward pass."""


def quickest(device: str, length: int) -> str:
    """The name of the quicker of the two for sequences of up to `length` tokens."""
    is_short_on_cpu = device == "cpu" and length <= LONGEST_FOR_MATMUL
    return "causal_matmul" if is_short_on_cpu else "causal_sdpa"


def causal_matmul(
    module: torch.nn.Module,
    query_BHTD: torch.Tensor,
    key_BHTD: torch.Tensor,
    value_BHTD: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as two batched matrix products, under transformers' signature.

    Returns the context vectors (B, T, H, D), and None in place of the weights.
    """
    B, H, T, D = query_BHTD.shape
    if attention_mask is None:
        masked_TT = torch.full((T, T), -math.inf, dtype=query_BHTD.dtype, device=query_BHTD.device)
        mask_NTT = masked_TT.triu(1).expand(B * H, T, T)
    else:
        mask_NTT = attention_mask.to(query_BHTD.dtype).expand(B, H, T, T).flatten(0, 1)
    scores_NTT = torch.baddbmm(
        mask_NTT,
        query_BHTD.flatten(0, 1),
        key_BHTD.flatten(0, 1).transpose(1, 2),
        alpha=scaling,
    )
    weights_NTT = functional.dropout(scores_NTT.softmax(-1), dropout, module.training)
    context_NTD = weights_NTT @ value_BHTD.flatten(0, 1)
    return context_NTD.view(B, H, T, D).transpose(1, 2).contiguous(), None


AttentionInterface.register("causal_sdpa", causal_sdpa)
AttentionInterface.register("causal_matmul", causal_matmul)
