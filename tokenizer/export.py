"""A sentencepiece.model -> the files with which AutoTokenizer.from_pretrained gives the same ids.
The corpus is encoded with sentencepiece itself, which is faster; that both agree is checked in
quality/."""

import json
from pathlib import Path
from typing import Any, Final

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

from tokenizer.sentencepiece_trainer import ModelMessage, parse_model
from tokenizer.special_tokens import BOS, ENTITY_MARKS, EOS, PAD, RESERVED, SEP, SPECIAL_TOKENS, UNK

SPACE: Final = "\u2581"  # how SentencePiece writes a space inside a piece

BASIC_TOKENS: Final = (PAD, UNK, BOS, EOS)
"""Those that tokenizer.json itself calls special, so that libraries that read nothing else leave
them out of decoded text."""

NEVER_SCORE: Final = -10_000.0
"""Of the pieces that stand for special tokens and bytes, which tokenizers' unigram model would find
in ordinary text. A path over the characters, which costs at most some 30 for each, always wins."""

TOKENIZER_CONFIG: Final[dict[str, Any]] = {
    # Any other, or none, and AutoTokenizer beside a GPT-2 config builds a byte-level tokenizer.
    "tokenizer_class": "PreTrainedTokenizerFast",
    "pad_token": PAD,
    "unk_token": UNK,
    # What a text begins with in training: the end of the one before it.
    "bos_token": EOS,
    "eos_token": EOS,
    "sep_token": SEP,
    "additional_special_tokens": [BOS, *ENTITY_MARKS, *RESERVED],
    "split_special_tokens": True,  # text that looks like a special token stays text
    "clean_up_tokenization_spaces": False,
    # By default there would be token_type_ids, too, for which GPT-2 adds embeddings.
    "model_input_names": ["input_ids", "attention_mask"],
}


def export(model: bytes, folder: Path) -> None:
    """Write sentencepiece.model, tokenizer.json and tokenizer_config.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sentencepiece.model").write_bytes(model)
    # As text, because tokenizers' own save raises a bare Exception when the disk is full.
    text = build_tokenizer(model).to_str(pretty=True)
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    config = json.dumps(TOKENIZER_CONFIG, indent=2) + "\n"
    (folder / "tokenizer_config.json").write_text(config, encoding="utf-8")


def build_tokenizer(model: bytes) -> Tokenizer:
    """The same tokenizer for the library tokenizers: no pre-tokenizer, nothing added to a text.

    Where it is used without AutoTokenizer, `encode_special_tokens` has to be set, or text that
    looks like one of BASIC_TOKENS becomes it.
    """
    proto = parse_model(model)
    is_bpe = proto.trainer_spec.model_type == proto.trainer_spec.BPE
    tokenizer = Tokenizer(_build_bpe(proto) if is_bpe else _build_unigram(proto))
    # NFC first: without it a decomposed text is some eight times as many tokens, of which a model
    # has seen none. sentencepiece.model can't do so for every text: its rules are a finite table.
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(" ", SPACE)]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    basic = [AddedToken(token, special=True, normalized=False) for token in BASIC_TOKENS]
    tokenizer.add_special_tokens(basic)
    return tokenizer


def _build_bpe(proto: ModelMessage) -> models.BPE:
    """SentencePiece merges each pair of pieces that makes a piece, at that piece's own rank, which
    is its place here."""
    vocabulary = {piece.piece: index for index, piece in enumerate(proto.pieces)}
    ordinary = dict.fromkeys(piece.piece for piece in proto.pieces if piece.type == piece.NORMAL)
    pairs = ((piece[:cut], piece[cut:]) for piece in ordinary for cut in range(1, len(piece)))
    merges = [(left, right) for left, right in pairs if left in ordinary and right in ordinary]
    return models.BPE(vocabulary, merges, unk_token=UNK, fuse_unk=True, byte_fallback=True)


def _build_unigram(proto: ModelMessage) -> models.Unigram:
    scores = [
        (piece.piece, piece.score if piece.type == piece.NORMAL else NEVER_SCORE)
        for piece in proto.pieces
    ]
    return models.Unigram(scores, SPECIAL_TOKENS.index(UNK), byte_fallback=True)
