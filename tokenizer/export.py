"""A sentencepiece.model -> the files with which AutoTokenizer.from_pretrained gives the same ids. The corpus is encoded
with sentencepiece itself, which is faster; that both agree is checked by quality.py."""
import json
from pathlib import Path

from sentencepiece.sentencepiece_model_pb2 import ModelProto
from tokenizers import Tokenizer, decoders, models, normalizers

from tokenizer.train import OPTIONS, SPECIAL_TOKENS, UNK

SPACE = "\u2581"  # how SentencePiece writes a space inside a piece

# In ordinary text, tokenizers' unigram model would find the pieces that stand for special tokens and bytes. At this
# score a path over the characters, which costs at most some 30 for each, always wins.
NEVER_SCORE = -10_000.0


def export(model: bytes, folder: Path) -> None:
    """Write sentencepiece.model, tokenizer.json and tokenizer_config.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sentencepiece.model").write_bytes(model)
    # As text, because tokenizers' own save raises a bare Exception when the disk is full.
    (folder / "tokenizer.json").write_text(build_tokenizer(model).to_str(pretty=True), encoding="utf-8")
    config = OPTIONS["transformers"] | {"additional_special_tokens": list(SPECIAL_TOKENS[5:])}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def build_tokenizer(model: bytes) -> Tokenizer:
    """The same tokenizer for the `tokenizers` library: no pre-tokenizer, no token added to what is encoded."""
    proto = ModelProto.FromString(model)
    vocab = {piece.piece: index for index, piece in enumerate(proto.pieces)}
    if proto.trainer_spec.model_type == proto.trainer_spec.BPE:
        ordinary = dict.fromkeys(piece.piece for piece in proto.pieces if piece.type == piece.NORMAL)
        # SentencePiece merges each pair of pieces that makes a piece, at the piece's own rank, which is its place here.
        pairs = ((piece[:cut], piece[cut:]) for piece in ordinary for cut in range(1, len(piece)))
        merges = [(left, right) for left, right in pairs if left in ordinary and right in ordinary]
        core = models.BPE(vocab, merges, unk_token=UNK, fuse_unk=True, byte_fallback=True)
    else:
        scored = [(piece.piece, piece.score if piece.type == piece.NORMAL else NEVER_SCORE) for piece in proto.pieces]
        core = models.Unigram(scored, vocab[UNK], byte_fallback=True)
    tokenizer = Tokenizer(core)
    tokenizer.normalizer = normalizers.Replace(" ", SPACE)
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer
