"""The losses of pretraining: cross-entropies of next tokens, or of hidden ones; and attention that
stays within a document where that is wanted."""

from typing import Any

import torch
from torch.nn import functional
from transformers import PreTrainedModel

from pipeline.models.attention import (
    dtype_on,
    make_mask,
    make_window_mask,
    seeing_all,
    within_documents,
    within_whole_documents,
)
from pipeline.models.folder import MODEL_TYPES
from pipeline.models.gpt import blocks_of, head_of, is_bert
from pipeline.models.masking import IGNORED, unpack


class TokenLosses(torch.nn.Module):
    """A model as a function of ids (B, T + 1): the sum, in nats, of the cross-entropies of the last
    T given what stands before each. A target of -100 is skipped.

    If `masked`, ids are packed ones (masking.py) and the sum is that of the hidden tokens, over
    `mask_rate`: as large as if all had been hidden. A BERT predicts a token from its own place in
    the first T, a GPT from the place before it (as GPT-BERT does: Charpentier and Samuel, 2024).

    With `compiled`, each block and the loss are compiled by themselves: the blocks are alike, so
    one is enough for all. With `document_masking` attention stays within a document, and positions
    start again at its end token.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        compiled: bool = False,
        document_masking: bool = False,
        mask_rate: float = 1.0,
    ) -> None:
        super().__init__()
        self.model = model
        self.document_masking = document_masking
        self.mask_rate = mask_rate
        self.sum_cross_entropies = sum_cross_entropies
        if compiled:
            self.sum_cross_entropies = torch.compile(sum_cross_entropies, dynamic=False)
            for block in blocks_of(model):
                block.compile(dynamic=False)

    def forward(self, ids_BT: torch.Tensor, masked: bool = False) -> torch.Tensor:
        """The sum of the losses, a scalar."""
        if masked:
            inputs_BT, targets_BT = unpack(ids_BT)
            targets_BT = targets_BT[:, :-1] if is_bert(self.model) else targets_BT[:, 1:]
            hidden_BTC = self.hidden_states(inputs_BT[:, :-1], both_ways=True)
            return self.sum_of_hidden(hidden_BTC, targets_BT) / self.mask_rate
        hidden_BTC = self.hidden_states(ids_BT[:, :-1], both_ways=False)
        return self.sum_cross_entropies(hidden_BTC, *head_of(self.model), targets_BT=ids_BT[:, 1:])

    def hidden_states(self, ids_BT: torch.Tensor, both_ways: bool) -> torch.Tensor:
        """The model's last hidden states (B, T, C); with `both_ways` every token sees all others
        of its document, or of its sequence."""
        end = self.model.config.eos_token_id
        inputs_BT = ids_BT.masked_fill(ids_BT < 0, end)
        bounds = self.bounds_of_attention(inputs_BT == end, both_ways)
        # Given ids, transformers reads some of them back to warn of padding, for which a GPU stops.
        embedded_BTC = self.model.get_input_embeddings()(inputs_BT)
        # With a cache it would skip the documents' mask without a word.
        found = self.model.base_model(inputs_embeds=embedded_BTC, use_cache=False, **bounds)
        return found.last_hidden_state

    def sum_of_hidden(self, hidden_BTC: torch.Tensor, targets_BT: torch.Tensor) -> torch.Tensor:
        """The sum of the hidden tokens' losses. On a CPU only these get logits; a GPU would have to
        wait to learn how many they are."""
        if is_bert(self.model):
            hidden_BTC = self.model.get_submodule("cls.predictions.transform")(hidden_BTC)
        score = self.sum_cross_entropies
        if hidden_BTC.device.type == "cpu":
            score = sum_cross_entropies  # they are never as many: it would be compiled each time
            is_target_BT = targets_BT != IGNORED
            hidden_BTC = hidden_BTC[is_target_BT][None]
            targets_BT = targets_BT[is_target_BT][None]
        return score(hidden_BTC, *head_of(self.model), targets_BT=targets_BT)

    def bounds_of_attention(self, starts_BT: torch.Tensor, both_ways: bool) -> dict[str, Any]:
        """What the model is told for documents that begin where `starts_BT` says, if attention
        stays within them, for attention both ways, and for GPT-3's banded layers: one mask for all
        layers."""
        B, T = starts_BT.shape
        config = self.model.config
        device = starts_BT.device
        dtype = dtype_on(device)
        if self.document_masking:
            order_T = torch.arange(T, device=device)
            begun_BT = torch.where(starts_BT, order_T, 0).cummax(1).values
            rule = within_whole_documents if both_ways else within_documents
            mask = make_mask(rule(begun_BT), B, T, device, dtype)
            return {"position_ids": order_T - begun_BT, "attention_mask": mask}
        if both_ways:
            return {"attention_mask": make_mask(seeing_all, 1, T, device, dtype)}
        if config.model_type == MODEL_TYPES["gpt3"]:
            return {"attention_mask": make_window_mask(config.window_size, T, device, dtype)}
        return {}


def sum_cross_entropies(
    hidden_BTC: torch.Tensor,
    head_VC: torch.Tensor,
    bias_V: torch.Tensor | None,
    targets_BT: torch.Tensor,
) -> torch.Tensor:
    """The sum, in nats, of the targets' cross-entropies under the logits that the head gives."""
    logits_NV = functional.linear(hidden_BTC, head_VC, bias_V).flatten(0, 1).float()
    targets_N = targets_BT.flatten()
    return functional.cross_entropy(logits_NV, targets_N, ignore_index=IGNORED, reduction="sum")
