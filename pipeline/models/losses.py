"""The loss of pretraining: cross-entropies of next tokens, and attention that stays within a
document where that is wanted."""

from typing import Any

import torch
from torch.nn import functional
from transformers import PreTrainedModel

from pipeline.models.attention import make_mask, make_window_mask, within_documents
from pipeline.models.folder import MODEL_TYPES
from pipeline.models.gpt import blocks_of, head_weight_of

IGNORED = -100
"""A target that isn't one."""


class TokenLosses(torch.nn.Module):
    """A model as a function of ids (B, T + 1): the sum, in nats, of the cross-entropies of the last
    T given what stands before each. A target of -100 is skipped.

    With `compiled`, each block and the loss are compiled by themselves: the blocks are alike, so
    one is enough for all. With `document_masking` attention stays within a document, and positions
    start again at its end token.
    """

    def __init__(
        self, model: PreTrainedModel, compiled: bool = False, document_masking: bool = False
    ) -> None:
        super().__init__()
        self.model = model
        self.document_masking = document_masking
        self.sum_cross_entropies = sum_cross_entropies
        if compiled:
            self.sum_cross_entropies = torch.compile(sum_cross_entropies, dynamic=False)
            for block in blocks_of(model):
                block.compile(dynamic=False)

    def forward(self, ids_BT: torch.Tensor) -> torch.Tensor:
        """The sum of the losses, a scalar."""
        end = self.model.config.eos_token_id
        inputs_BT = ids_BT[:, :-1].masked_fill(ids_BT[:, :-1] < 0, end)
        bounds = self.bounds_of_attention(inputs_BT == end)
        # Given ids, transformers reads some of them back to warn of padding, for which a GPU stops.
        embedded_BTC = self.model.get_input_embeddings()(inputs_BT)
        # With a cache it would skip the documents' mask without a word.
        found = self.model.base_model(inputs_embeds=embedded_BTC, use_cache=False, **bounds)
        head_VC = head_weight_of(self.model)
        return self.sum_cross_entropies(found.last_hidden_state, head_VC, ids_BT[:, 1:])

    def bounds_of_attention(self, starts_BT: torch.Tensor) -> dict[str, Any]:
        """What the model is told for documents that begin where `starts_BT` says, if attention
        stays within them, and for GPT-3's banded layers: one mask for all layers."""
        B, T = starts_BT.shape
        config = self.model.config
        device = starts_BT.device
        is_autocast = torch.is_autocast_enabled(device.type)
        dtype = torch.get_autocast_dtype(device.type) if is_autocast else torch.float32
        if self.document_masking:
            order_T = torch.arange(T, device=device)
            begun_BT = torch.where(starts_BT, order_T, 0).cummax(1).values
            mask = make_mask(within_documents(begun_BT), B, T, device, dtype)
            return {"position_ids": order_T - begun_BT, "attention_mask": mask}
        if config.model_type == MODEL_TYPES["gpt3"]:
            return {"attention_mask": make_window_mask(config.window_size, T, device, dtype)}
        return {}


def sum_cross_entropies(
    hidden_BTC: torch.Tensor, head_VC: torch.Tensor, targets_BT: torch.Tensor
) -> torch.Tensor:
    """The sum, in nats, of the targets' cross-entropies under the logits that the head gives."""
    logits_NV = functional.linear(hidden_BTC, head_VC).flatten(0, 1).float()
    targets_N = targets_BT.flatten()
    return functional.cross_entropy(logits_NV, targets_N, ignore_index=IGNORED, reduction="sum")
