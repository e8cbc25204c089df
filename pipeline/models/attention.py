"""Attention in training, causal for all the GPTs: torch's quick kernels in place of dense scores,
and masks only where causality isn't all: for documents, and for GPT-3's banded layers.

transformers (5.23) builds a dense (B, 1, T, T) mask when a whole GPT-2 is compiled. An attention
that it has no mask function for gets none. The functions here are right for full sequences and for
right padding (a pad can't be seen from its left), and wrong for left padding or a key-value cache,
so generation keeps the stock attention. A mask that is given has to be causal itself."""

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.gpt_neo import modeling_gpt_neo as gpt_neo
from transformers.models.openai import modeling_openai as openai_gpt

LONGEST_FOR_MATMUL = 512
"""Tokens up to which SDPA's bf16 kernel takes two to four times as long on a CPU, most of it in the
backward pass."""

Mask = torch.Tensor | BlockMask
"""Additive, (B, 1, T, T) or (1, 1, T, T), or the blocks of it that FlexAttention computes."""
Rule = Callable[[Any, Any, Any, Any], torch.Tensor]
"""Whether in a row (B) and a head (H) a query (T) sees a key (T): FlexAttention's mask_mod."""


@functools.cache
def compiled_flex_attention() -> Callable[..., Any]:
    """FlexAttention for a model that isn't compiled itself: as it is it computes all scores."""
    return torch.compile(flex_attention, dynamic=False)


def quickest(device: str, length: int, kind: str = "causal") -> str:
    """The name of the quicker function for sequences of up to `length` tokens, of those that are
    causal without a mask, or of those that then read `both_ways`."""
    is_short_on_cpu = device == "cpu" and length <= LONGEST_FOR_MATMUL
    return f"{kind}_matmul" if is_short_on_cpu else f"{kind}_kernels"


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
        mask_NTT = attention_mask.expand(B, H, T, T).flatten(0, 1)
    scores_NTT = torch.baddbmm(
        mask_NTT,
        query_BHTD.flatten(0, 1),
        key_BHTD.flatten(0, 1).transpose(1, 2),
        alpha=scaling,
    )
    weights_NTT = functional.dropout(scores_NTT.softmax(-1), dropout, module.training)
    context_NTD = weights_NTT @ value_BHTD.flatten(0, 1)
    return context_NTD.view(B, H, T, D).transpose(1, 2).contiguous(), None


def causal_kernels(
    module: torch.nn.Module,
    query_BHTD: torch.Tensor,
    key_BHTD: torch.Tensor,
    value_BHTD: torch.Tensor,
    attention_mask: Mask | None,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention by torch's kernels: FlexAttention's for a mask in blocks, else transformers' SDPA.

    The same signature and values as causal_matmul.
    """
    if not isinstance(attention_mask, BlockMask):
        return sdpa_attention_forward(
            module, query_BHTD, key_BHTD, value_BHTD, attention_mask, dropout, scaling
        )
    is_compiling = torch.compiler.is_compiling()
    flex: Callable[..., Any] = flex_attention if is_compiling else compiled_flex_attention()
    context_BHTD = flex(
        query_BHTD,
        key_BHTD,
        value_BHTD,
        block_mask=attention_mask,
        scale=scaling,
        kernel_options={"BACKEND": "TRITON"},  # the one whose backward pass is deterministic
    )
    return context_BHTD.transpose(1, 2).contiguous(), None


def reading_both_ways(attend: Callable[..., Any]) -> Callable[..., Any]:
    """One of the above for a model in which every token sees all others where no mask is given;
    pads have to be told by a mask, of four axes."""

    def attend_to_all(
        module: torch.nn.Module,
        query_BHTD: torch.Tensor,
        key_BHTD: torch.Tensor,
        value_BHTD: torch.Tensor,
        attention_mask: Mask | None,
        **options: Any,
    ) -> tuple[torch.Tensor, None]:
        mask = attention_mask
        if mask is None:
            T = query_BHTD.shape[2]
            mask = query_BHTD.new_zeros(1, 1, T, T)
        return attend(module, query_BHTD, key_BHTD, value_BHTD, mask, **options)

    return attend_to_all


ATTENTIONS = {"causal_kernels": causal_kernels, "causal_matmul": causal_matmul}
# transformers refuses GPTNeo a name with "sdpa" in it.
AttentionInterface.register("causal_kernels", causal_kernels)
AttentionInterface.register("causal_matmul", causal_matmul)
AttentionInterface.register("both_ways_kernels", reading_both_ways(causal_kernels))
AttentionInterface.register("both_ways_matmul", reading_both_ways(causal_matmul))


def within_documents(begun_BT: torch.Tensor) -> Rule:
    """A token sees those before it from its document's first one on; `begun_BT` is that one's
    position."""

    def sees(row: Any, _head: Any, query: Any, key: Any) -> torch.Tensor:
        return (key <= query) & (key >= begun_BT[row, query])

    return sees


def within_whole_documents(begun_BT: torch.Tensor) -> Rule:
    """A token sees all of its document, before it and behind it."""

    def sees(row: Any, _head: Any, query: Any, key: Any) -> torch.Tensor:
        return begun_BT[row, key] == begun_BT[row, query]

    return sees


def within_prefix(lengths_B: torch.Tensor) -> Rule:
    """A token sees those before it, and all of the first `lengths_B` ones of its row."""

    def sees(row: Any, _head: Any, query: Any, key: Any) -> torch.Tensor:
        return (key <= query) | (key < lengths_B[row])

    return sees


def within_real(is_real_BT: torch.Tensor) -> Rule:
    """A token sees all of its row that aren't pads, before it and behind it."""

    def sees(row: Any, _head: Any, _query: Any, key: Any) -> torch.Tensor:
        return is_real_BT[row, key]

    return sees


def seeing_all(_row: Any, _head: Any, query: Any, key: Any) -> torch.Tensor:
    """A token sees all others, before it and behind it."""
    return (key >= 0) & (query >= 0)


def within_window(length: int) -> Rule:
    """A token sees itself and the `length` - 1 before it."""

    def sees(_row: Any, _head: Any, query: Any, key: Any) -> torch.Tensor:
        return (key <= query) & (key > query - length)

    return sees


def make_mask(sees: Rule, rows: int, length: int, device: torch.device, dtype: torch.dtype) -> Mask:
    """A rule as a mask for so many rows (1: all are alike) of sequences of this length: in blocks
    on a GPU, dense elsewhere, where FlexAttention has no backward pass."""
    if device.type == "cuda":
        return mask_in_blocks(sees, rows, length, device)
    return dense_mask(sees, rows, length, device, dtype)


def mask_in_blocks(sees: Rule, rows: int, length: int, device: torch.device) -> BlockMask:
    """For FlexAttention, which skips blocks that no query sees."""
    blocks: Any = create_block_mask(sees, rows, None, length, length, device)
    blocks.ndim = 4  # transformers' GPT-2 asks a mask for it
    return blocks


def dtype_on(device: torch.device) -> torch.dtype:
    """The type that attention computes in, which a dense mask has to have."""
    is_autocast = torch.is_autocast_enabled(device.type)
    return torch.get_autocast_dtype(device.type) if is_autocast else torch.float32


def dense_mask(
    sees: Rule, rows: int, length: int, device: torch.device, dtype: torch.dtype
) -> torch.Tensor:
    """The additive mask (rows, 1, T, T), in the type that attention computes in."""
    order_T = torch.arange(length, device=device)
    rows_B111 = torch.arange(rows, device=device)[:, None, None, None]
    seen_B1TT = sees(rows_B111, 0, order_T[:, None], order_T).expand(rows, 1, length, length)
    zeros_B1TT = torch.zeros(seen_B1TT.shape, dtype=dtype, device=device)
    return zeros_B1TT.masked_fill_(~seen_B1TT, -math.inf)


@functools.lru_cache(maxsize=2)  # the context, and that of short_steps
def make_window_mask(window: int, length: int, device: torch.device, dtype: torch.dtype) -> Mask:
    """The mask of GPT-3's banded layers, the same at every step and for all rows and heads."""
    return make_mask(within_window(window), 1, length, device, dtype)


class Gpt3Attention(gpt_neo.GPTNeoSelfAttention):
    """GPTNeo's attention by the function that the config names, which has to be one of the above.

    A banded layer's mask is the one that is given, a window's; a dense layer has none.
    """

    def _attn(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: Mask | None = None,
    ) -> tuple[torch.Tensor, None]:
        is_banded = self.attention_type == "local"
        if is_banded and attention_mask is None:  # sampling
            return super()._attn(query, key, value)
        attend = ATTENTIONS[self.config._attn_implementation]
        mask = attention_mask if is_banded else None
        context_BTHD, _ = attend(self, query, key, value, mask, scaling=1.0)
        return context_BTHD.transpose(1, 2), None


class Gpt1Attention(openai_gpt.Attention):
    """OpenAIGPT's attention by the quicker of the functions above."""

    def _attn(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> list[torch.Tensor]:
        if attention_mask is not None:  # sampling
            return super()._attn(q, k, v, attention_mask, output_attentions)
        length, width = q.shape[2:]
        attend = ATTENTIONS[quickest(q.device.type, length)]
        context_BTHD, _ = attend(self, q, k.transpose(2, 3), v, None, scaling=width**-0.5)
        return [context_BTHD.transpose(1, 2)]


# By these names, too, a config chooses the class of GPTNeo's attention.
gpt_neo.GPT_NEO_ATTENTION_CLASSES |= dict.fromkeys(ATTENTIONS, Gpt3Attention)


def use_gpt1_attention(model: PreTrainedModel) -> None:
    """Give a new or loaded OpenAIGPT, whose config has no say in it, Gpt1Attention, in memory."""
    for module in model.modules():
        if isinstance(module, openai_gpt.Attention):
            module.__class__ = Gpt1Attention
