"""A file of training lines -> a SentencePiece model. What the model becomes for transformers is in
export.py; whether it may be used is for quality/ to say."""

import math
import re
from pathlib import Path
from typing import Any, Final

from corpora.errors import UserError
from tokenizer.sentencepiece_trainer import ModelMessage, run_trainer
from tokenizer.special_tokens import BOS, EOS, PAD, SPECIAL_TOKENS, UNK, VOCAB_MULTIPLE
from tokenizer.superwords import add_superwords
from tokenizer.training_lines import MAX_LINE

ALWAYS_PIECES: Final = "\n\t" + "".join(map(chr, range(0x21, 0x7F)))
"""Characters that are pieces even if the text lacks them."""

OPTIONS: Final[dict[str, Any]] = {
    "byte_fallback": True,
    "allow_whitespace_only_pieces": True,
    "required_chars": ALWAYS_PIECES,
    "max_sentence_length": 8 * MAX_LINE,  # bytes
    "pad_id": SPECIAL_TOKENS.index(PAD),
    "unk_id": SPECIAL_TOKENS.index(UNK),
    "bos_id": SPECIAL_TOKENS.index(BOS),
    "eos_id": SPECIAL_TOKENS.index(EOS),
    "pad_piece": PAD,
    "unk_piece": UNK,
    "bos_piece": BOS,
    "eos_piece": EOS,
    "control_symbols": list(SPECIAL_TOKENS[4:]),
}
"""Of SentencePiece, in every first pass."""


def train_model(
    lines: Path,
    model_type: str,
    vocab_size: int,
    character_coverage: float,
    superwords: int = 0,
    **options: bool,
) -> bytes:
    """Train on the file that `write_lines` wrote; the same lines give the same bytes.

    `model_type` is bpe or unigram. `vocab_size` counts everything: special tokens, 256 bytes, and
    `superwords` (see superwords.py; bpe only). `options` are SentencePiece's own, such as
    split_digits.

    Returns the bytes of a sentencepiece.model. Raises UserError for a vocabulary that doesn't fit
    the text; what else SentencePiece raises passes through.
    """
    try:
        model = run_trainer(
            model_type,
            input=[str(lines)],
            vocab_size=vocab_size - superwords,
            character_coverage=character_coverage,
            **OPTIONS,
            **options,
        )
    except RuntimeError as error:
        message = explain_misfit(str(error), vocab_size, superwords)
        if message is None:
            raise
        raise UserError(message) from None
    model.trainer_spec.ClearField("input")  # where the file lay is no part of the result
    if model_type == "unigram":
        round_scores(model)
    if superwords:
        add_superwords(model, lines, superwords)
    return model.SerializeToString(deterministic=True)


def explain_misfit(said: str, vocab_size: int, superwords: int) -> str | None:
    """Our words for SentencePiece's, if they say that the vocabulary doesn't fit the text."""
    too_large = re.search(r"Vocabulary size too high .*<= (\d+)", said)
    too_small = re.search(r"smaller than required_chars\. \d+ vs (\d+)", said)
    if too_large:
        num_multiples = (int(too_large[1]) + superwords) // VOCAB_MULTIPLE
        complaint = "too large for this text; the largest that works is"
        advice = "Set vocab_size to that or less, or give more text."
    elif too_small:
        num_multiples = math.ceil((int(too_small[1]) + superwords) / VOCAB_MULTIPLE)
        complaint = (
            "too small for the special tokens, 256 bytes and the characters of this text; "
            "the smallest that works is"
        )
        advice = "Or lower character_coverage."
    else:
        return None
    limit = num_multiples * VOCAB_MULTIPLE
    also = f" with superwords={superwords}" if superwords else ""
    return f"vocab_size={vocab_size}: {complaint} {limit}{also}. {advice}"


def round_scores(model: ModelMessage) -> None:
    """Round a unigram model's log-probabilities to multiples of 1/16.

    sentencepiece adds them up in float32, tokenizers in float64, and so would choose differently
    between ways to cut a text that are as good as equal (in 81 of 46,165 documents). Sums of
    multiples of 1/16 are exact in both up to 2**20, and ties are broken alike. It changes a
    probability by 3 % at most.
    """
    for piece in model.pieces:
        piece.score = round(piece.score * 16) / 16
