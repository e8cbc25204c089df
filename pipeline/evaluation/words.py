"""How likely a language model thinks words after prompts, and how it reads these: one way as all
GPTs, or the prompt both ways and what follows it one way (a prefix language model, Raffel et al.
2020, 3.2.1)."""

from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from pipeline.evaluation.length_batches import pad_right
from pipeline.models.attention import dense_mask, dtype_on, within_prefix

WORDS_BATCH = 128  # sequences a forward pass: logits are of a word's tokens alone


def read_prompts(
    model: PreTrainedModel, sequences: list[list[int]], prompt_lengths: list[int], device: str
) -> torch.Tensor:
    """Return the last hidden states (B, T, C) of sequences, each a prompt and what follows it.

    A model whose config says that it isn't causal reads the prompts both ways.
    """
    ids_BT = pad_right(sequences, 0).to(device)
    options: dict[str, Any] = {}
    if not getattr(model.config, "is_causal", True):
        sees = within_prefix(torch.tensor(prompt_lengths, device=device))
        B, T = ids_BT.shape
        options["attention_mask"] = dense_mask(sees, B, T, ids_BT.device, dtype_on(ids_BT.device))
    # No other mask: right of a causal model's last real token, pads can't be seen.
    return model.base_model(input_ids=ids_BT, use_cache=False, **options).last_hidden_state


@torch.no_grad()
def score_words(
    model: PreTrainedModel, prompts: list[list[int]], words: list[list[int]], device: str
) -> np.ndarray:
    """Return the log-likelihoods (N, C), in nats, of each word after each prompt, all in token ids,
    computed in fp32."""
    head: Any = model.get_output_embeddings()
    by_length_N = np.argsort([len(prompt) for prompt in prompts], kind="stable")
    scores_NC = np.empty((len(prompts), len(words)))
    # Words that differ in their last token alone share a pass, and most words are one token.
    for stem in dict.fromkeys(tuple(word[:-1]) for word in words):
        columns = [number for number, word in enumerate(words) if tuple(word[:-1]) == stem]
        tokens_CW = torch.tensor([words[column] for column in columns], device=device)
        for start in range(0, len(prompts), WORDS_BATCH):
            rows = by_length_N[start : start + WORDS_BATCH]
            lengths = [len(prompts[row]) for row in rows]
            sequences = [prompts[row] + list(stem) for row in rows]
            hidden_BTC = read_prompts(model, sequences, lengths, device)
            rows_B1 = torch.arange(len(rows), device=device)[:, None]
            # Each token of a word is told by the place before it.
            places_BW = torch.tensor(lengths, device=device)[:, None] - 1
            places_BW = places_BW + torch.arange(len(stem) + 1, device=device)
            logs_BWV = head(hidden_BTC[rows_B1, places_BW]).float().log_softmax(-1)
            order_W = torch.arange(len(stem) + 1, device=device)
            logs_BCW = logs_BWV[:, order_W, tokens_CW]
            scores_NC[rows[:, None], columns] = logs_BCW.sum(-1).cpu().numpy()
    return scores_NC
