"""Masked language modelling (Devlin et al., 2019): which words of a batch are hidden, and a batch
that says so. Its loss is in losses.py.

A packed token is its input's id in the lower 32 bits, and above them its own id + 1 if that is to
be predicted: of one shape with a batch that hides nothing."""

from typing import Any, NamedTuple

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from corpora.errors import require

IGNORED = -100
"""A target that isn't one."""
MASK_TOKEN = "<reserved_99>"  # of the tokens that this project's tokenizers keep free
SHIFT = 32
MASKED_SHARE = 0.8  # of the hidden tokens; half of the others become any text's token, half stay
RANDOM_SHARE = 0.1


class Vocabulary(NamedTuple):
    """What hiding words has to know of a tokenizer."""

    begins_word_V: np.ndarray  # noqa: N815  # whether a token is the first of a word
    is_text_V: np.ndarray  # noqa: N815  # whether it is text, not a special token
    mask_token_id: int


def read_vocabulary(tokenizer: PreTrainedTokenizerBase, size: int) -> Vocabulary:
    """What a tokenizer's pieces say of words: those of SentencePiece and of byte-level BPE begin a
    word with a space, WordPiece's go on with one with ##.

    The mask is the tokenizer's own, or the reserved token of this project's. Raises UserError for a
    tokenizer that has neither.
    """
    pieces = [str(tokenizer.convert_ids_to_tokens(number) or "") for number in range(size)]
    goes_on = any(piece.startswith("##") for piece in pieces)
    begins = [not piece.startswith("##") if goes_on else piece[:1] in "▁Ġ" for piece in pieces]
    special = set(tokenizer.all_special_ids)
    mask: Any = tokenizer.mask_token_id
    if mask is None:
        require(
            MASK_TOKEN in pieces,
            f"the tokenizer has no mask token, nor {MASK_TOKEN}: set mask_token in its "
            "tokenizer_config.json to one of its tokens that no text holds.",
        )
        mask = pieces.index(MASK_TOKEN)
    is_text = [number not in special for number in range(size)]
    return Vocabulary(np.array(begins), np.array(is_text), mask)


def hide_words(
    ids_BT: torch.Tensor, vocabulary: Vocabulary, rate: float, seeds: list[list[int]]
) -> torch.Tensor:
    """Hide every word with a chance of `rate`, all of its tokens together; a row's draws come from
    its seed. Returns packed ids (B, T). What is negative stays no target."""
    rows = [
        _hide_in_row(ids_T, vocabulary, rate, np.random.default_rng(seed))
        for ids_T, seed in zip(ids_BT.numpy(), seeds)
    ]
    return torch.from_numpy(np.stack(rows))


def _hide_in_row(
    ids_T: np.ndarray, vocabulary: Vocabulary, rate: float, generator: np.random.Generator
) -> np.ndarray:
    chance_T, kind_T = generator.random((2, len(ids_T)))
    # Not any token: an end token would begin a document.
    other_T = generator.choice(np.flatnonzero(vocabulary.is_text_V), len(ids_T))
    known_T = np.clip(ids_T, 0, None)
    is_text_T = vocabulary.is_text_V[known_T] & (ids_T >= 0)
    begins_T = vocabulary.begins_word_V[known_T] | ~is_text_T
    begins_T[1:] |= ~is_text_T[:-1]
    first_T = np.maximum.accumulate(np.where(begins_T, np.arange(len(ids_T)), 0))
    is_hidden_T = is_text_T & (chance_T[first_T] < rate)
    shown_T = np.where(kind_T < MASKED_SHARE + RANDOM_SHARE, other_T, known_T)
    shown_T = np.where(kind_T < MASKED_SHARE, vocabulary.mask_token_id, shown_T)
    inputs_T = np.where(is_hidden_T, shown_T, known_T)
    return inputs_T + (np.where(is_hidden_T, ids_T + 1, 0) << SHIFT)


def unpack(packed_BT: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (B, T) and targets (B, T), which are IGNORED where nothing is hidden."""
    above_BT = packed_BT >> SHIFT
    inputs_BT = packed_BT - (above_BT << SHIFT)
    return inputs_BT, torch.where(above_BT > 0, above_BT - 1, IGNORED)
