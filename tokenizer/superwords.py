"""Superwords: pieces of a BPE model that cross spaces and morphemes, learnt in a second pass.

After SuperBPE (Liu et al. 2025, arXiv:2503.13423): the first pass stayed inside words, so the
vocabulary has them; with each of its pieces as one character SentencePiece goes on as if words had
no end."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from sentencepiece import SentencePieceProcessor

from corpora.errors import require
from tokenizer.morphemes import DELIMITER
from tokenizer.sentencepiece_trainer import ModelMessage, run_trainer

FIRST_CODE_POINT: Final = 0x20000
"""A piece is the character with this code point plus the piece's id, in planes 2 and 3."""

MAX_PIECES: Final = 4  # of the first pass, in one superword

OPTIONS: Final[dict[str, Any]] = {
    "hard_vocab_limit": False,
    "character_coverage": 1.0,
    "split_by_whitespace": False,
    "split_by_unicode_script": False,
    "split_by_number": False,
    "max_sentencepiece_length": MAX_PIECES,
    "max_sentence_length": 65_536,
}
"""Of SentencePiece, in the second pass."""


def add_superwords(model: ModelMessage, lines: Path, num_pieces: int) -> None:
    """Give a BPE model so many more pieces, each 2 to MAX_PIECES of its own in a row.

    `lines` is the file that the model was trained on. Raises UserError if it gives fewer.
    """
    words = SentencePieceProcessor(model_proto=model.SerializeToString())
    with open(lines, encoding="utf-8", newline="\n") as file:
        second = run_trainer(
            "bpe",
            sentence_iterator=code_lines(file, words),
            vocab_size=len(model.pieces) + num_pieces,
            **OPTIONS,
        )
    superwords = find_superwords(second, model)
    require(
        len(superwords) >= num_pieces,
        f"superwords={num_pieces}: too many for this text, the most are {len(superwords)}. "
        "Set fewer, or give more text.",
    )
    # A score is minus the rank of the merge: these come last.
    lowest_score = min(piece.score for piece in model.pieces)
    for rank, text in enumerate(superwords[:num_pieces], start=1):
        model.pieces.add(piece=text, score=lowest_score - rank)
    model.trainer_spec.vocab_size = len(model.pieces)


def code_lines(lines: Iterable[str], words: SentencePieceProcessor) -> Iterator[str]:
    """Each line without marks, as one character a piece; nothing merges across a byte."""
    characters_V = np.array(
        [
            DELIMITER if words.is_byte(index) else chr(FIRST_CODE_POINT + index)
            for index in range(len(words))
        ]
    )
    for line in lines:
        text = line.rstrip("\n").replace(DELIMITER, "")
        yield "".join(characters_V[words.encode(text, return_type="numpy")])


def find_superwords(second: ModelMessage, model: ModelMessage) -> list[str]:
    """What the second pass merged and `model` doesn't know, as text, in the order of the merges."""
    known = {piece.piece for piece in model.pieces}
    merged = [
        "".join(model.pieces[ord(character) - FIRST_CODE_POINT].piece for character in piece.piece)
        for piece in second.pieces
        if piece.type == piece.NORMAL and len(piece.piece) > 1
    ]
    return [text for text in dict.fromkeys(merged) if text not in known]
