"""Pieces that cross spaces and morphemes, learnt by a second pass over text that is already cut into pieces. After
SuperBPE (Liu et al. 2025, arXiv:2503.13423): the first pass stays inside words, so that the vocabulary still holds them;
what is left of it then goes to the most frequent sequences of their pieces."""
import io
from collections.abc import Iterable, Iterator

import numpy as np
import sentencepiece
from sentencepiece import SentencePieceProcessor
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from corpora import UserError
from tokenizer.morphemes import DELIMITER

FIRST = 0x20000  # a piece is written as the character with this code point plus its id, in planes 2 and 3
MOST_PIECES = 4  # of the first pass in one of the second


def add_superwords(model: ModelProto, lines: Iterable[str], num_pieces: int, num_threads: int) -> None:
    """Give a BPE `model` `num_pieces` more pieces, each a sequence of 2 to 4 of its own. SentencePiece learns them, too:
    with every piece of the first pass as one character of its text, it goes on merging as if words had no end. Raises
    UserError if the text gives fewer."""
    first = SentencePieceProcessor(model_proto=model.SerializeToString())
    second = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=as_characters(first, lines), model_writer=second, model_type="bpe",
        vocab_size=len(model.pieces) + num_pieces, hard_vocab_limit=False, character_coverage=1.0,
        normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False,
        split_by_whitespace=False, split_by_unicode_script=False, split_by_number=False,
        pretokenization_delimiter=DELIMITER, max_sentencepiece_length=MOST_PIECES, max_sentence_length=1 << 16,
        num_threads=num_threads, minloglevel=2)
    merged = [piece.piece for piece in ModelProto.FromString(second.getvalue()).pieces
              if piece.type == piece.NORMAL and len(piece.piece) > 1]  # in the order of the merges
    known = {piece.piece for piece in model.pieces}
    texts = ["".join(model.pieces[ord(character) - FIRST].piece for character in piece) for piece in merged]
    texts = [text for text in dict.fromkeys(texts) if text not in known]
    if len(texts) < num_pieces:
        raise UserError(f"superwords={num_pieces}: too many for this text, the most are {len(texts)}. Set fewer, or "
                        "give more text.")
    lowest = min(piece.score for piece in model.pieces)  # a score is minus the merge's rank: these come last
    for rank, text in enumerate(texts[:num_pieces], start=1):
        model.pieces.add(piece=text, score=lowest - rank)
    model.trainer_spec.vocab_size = len(model.pieces)


def as_characters(processor: SentencePieceProcessor, lines: Iterable[str]) -> Iterator[str]:
    """Yield each line with every piece as one character; nothing merges across a byte."""
    table = np.array([DELIMITER if processor.is_byte(index) else chr(FIRST + index) for index in range(len(processor))])
    for line in lines:
        yield "".join(table[processor.encode(line, return_type="numpy")])
