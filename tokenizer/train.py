"""Text -> SentencePiece model: which text is drawn, how it becomes training lines, how a model is trained. What the
model becomes for transformers is in export.py; whether the result may be used is for quality.py to say."""
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from heapq import heappop, heappush
from pathlib import Path

import numpy as np
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from corpora.errors import UserError, require
from corpora.settings import read_toml
from tokenizer.morphemes import DELIMITER, mark_morphemes

OPTIONS = read_toml(Path(__file__).with_name("options.toml"))
PAD, UNK, BOS, EOS, SEP = (OPTIONS["transformers"][f"{name}_token"] for name in ("pad", "unk", "bos", "eos", "sep"))
SPECIAL_TOKENS = (PAD, UNK, BOS, EOS, SEP, "<subj>", "</subj>", "<obj>", "</obj>",
                  *(f"<reserved_{number}>" for number in range(100)))
"""In the order of their ids, from 0. They are inserted by id; text that looks like one of them stays text."""
ALWAYS_PIECES = "\n\t" + "".join(map(chr, range(0x21, 0x7F)))  # characters that are pieces even if the text lacks them
VOCAB_MULTIPLE = 128  # matrix products on GPUs are fastest when the vocabulary is a multiple of 128
MAX_LINE = 4096  # characters; BPE training holds word positions in 16 bits, and analysers are slow on long lines
PARTS = re.compile(rf"(?s).{{1,{MAX_LINE}}}+\Z|.{{1,{MAX_LINE - 1}}}(?= )|.{{{MAX_LINE}}}")
"""Of a line: all that is left, if that's short enough; else up to the last space in reach; else as much as fits."""
FIRST = 0x20000  # for superwords a piece is the character with this code point plus the piece's id, in planes 2 and 3

# U+2585 and the delimiter mean something to the trainer; no piece shall cross a newline, tab or NUL.
LINE_ENDS = "\t\0\u2585" + DELIMITER


def draw_sample(documents: Iterable[str], num_bytes: int, seed: int) -> list[str]:
    """Draw whole documents, at random by `seed`, until they hold `num_bytes` of UTF-8 (or there are no more). A
    document's hash decides, so the result depends on the documents and the seed alone, not on order, shards or process
    (SentencePiece's own `input_sentence_size` differs from run to run). What is held in memory is the sample."""
    key = seed.to_bytes(8, "little", signed=True)
    drawn, total = [], 0  # a heap, the highest hash on top: the first to go
    for text in documents:
        data = text.encode()
        rank = int.from_bytes(blake2b(data, digest_size=16, key=key).digest())
        heappush(drawn, (-rank, len(data), text))
        total += len(data)
        while total - drawn[0][1] >= num_bytes:
            total -= heappop(drawn)[1]
    return [text for _, _, text in sorted(drawn, reverse=True)]


def training_lines(documents: Iterable[str]) -> Iterator[str]:
    """Cut documents into lines of at most MAX_LINE characters, long ones at a space where there is one."""
    for text in documents:
        for mark in LINE_ENDS:
            text = text.replace(mark, "\n")
        for line in text.split("\n"):
            yield from PARTS.findall(line)


def write_lines(documents: list[str], path: Path, morphemes: str, workers: int) -> dict:
    """Write the file that train_model reads: a line for each of theirs, with DELIMITER where a morpheme begins. Returns
    counts of what was written; the bytes are the same whatever the number of the analyser's `workers`. Raises UserError
    for documents without Hangul, and for an analyser that doesn't work."""
    require(any(re.search("[가-힣]", text) for text in documents), "The tokenizer's sample holds no Hangul: is the "
            f"corpus Korean, and was its encoding read right? It has {len(documents):,} documents"
            f"{f', such as {documents[0][:80]!r}' if documents else ''}.")
    counts = Counter()
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in mark_morphemes(training_lines(documents), morphemes, workers, counts))
    return {"documents": len(documents), "bytes": sum(len(text.encode()) for text in documents),
            "lines": counts["lines"], "lines_unmarked": counts["unmarked"]}


def train_model(lines: Path, model_type: str, vocab_size: int, character_coverage: float, superwords: int = 0,
                **options: bool) -> bytes:
    """Train on the file that write_lines wrote; return the bytes of a sentencepiece.model, the same for the same lines.
    `vocab_size` counts everything, special tokens, 256 bytes and `superwords` included (see add_superwords, BPE only);
    `options` are SentencePiece's own, such as split_digits. Raises UserError for what can't work with this text."""
    try:
        model = run_trainer(input=[str(lines)], model_type=model_type, vocab_size=vocab_size - superwords,
                            character_coverage=character_coverage, required_chars=ALWAYS_PIECES, pad_piece=PAD,
                            unk_piece=UNK, bos_piece=BOS, eos_piece=EOS, control_symbols=list(SPECIAL_TOKENS[4:]),
                            max_sentence_length=8 * MAX_LINE, **OPTIONS["words"], **options)
    except RuntimeError as error:  # that a vocabulary doesn't fit the text is said in our words, anything else as it is
        for row in OPTIONS["misfit"]:
            if found := re.search(row["pattern"], str(error)):
                limit = getattr(math, row["round"])((int(found[1]) + superwords) / VOCAB_MULTIPLE) * VOCAB_MULTIPLE
                also = f" with superwords={superwords}" if superwords else ""
                raise UserError(f"vocab_size={vocab_size}: {row['said']} {limit}{also}. {row['advice']}") from None
        raise
    model.trainer_spec.ClearField("input")  # where the file lay is no part of the result
    if model_type == "unigram":
        # sentencepiece adds log-probabilities up in float32, tokenizers in float64, and so would choose differently
        # between ways to cut a text that are as good as equal (in 81 of 46,165 documents). Sums of multiples of 1/16
        # are exact in both up to 2**20, and ties are broken alike. It changes a probability by 3 % at most.
        for piece in model.pieces:
            piece.score = round(piece.score * 16) / 16
    if superwords:
        add_superwords(model, lines, superwords)
    return model.SerializeToString(deterministic=True)


def run_trainer(model_type: str, **options) -> ModelProto:
    """SentencePiece's trainer, lossless, the same bytes each time."""
    trained = io.BytesIO()
    SentencePieceTrainer.train(model_writer=trained, model_type=model_type, pretokenization_delimiter=DELIMITER,
                               num_threads=OPTIONS["num_threads"][model_type], **OPTIONS["trainer"], **options)
    return ModelProto.FromString(trained.getvalue())


def add_superwords(model: ModelProto, lines: Path, num_pieces: int) -> None:
    """Give a BPE `model` `num_pieces` more pieces, each 2 to 4 of its own in a row, across spaces and morphemes. After
    SuperBPE (Liu et al. 2025, arXiv:2503.13423): the first pass stayed inside words, so the vocabulary has them; with
    each piece as a character SentencePiece goes on as if words had no end. Raises UserError if the text gives fewer."""
    first = SentencePieceProcessor(model_proto=model.SerializeToString())
    # Nothing merges across a byte.
    table = np.array([DELIMITER if first.is_byte(index) else chr(FIRST + index) for index in range(len(first))])
    with open(lines, encoding="utf-8", newline="\n") as file:
        unmarked = (line.rstrip("\n").replace(DELIMITER, "") for line in file)
        coded = ("".join(table[first.encode(line, return_type="numpy")]) for line in unmarked)
        new = run_trainer(sentence_iterator=coded, vocab_size=len(model.pieces) + num_pieces, **OPTIONS["superwords"])
    merged = [piece.piece for piece in new.pieces if piece.type == piece.NORMAL and len(piece.piece) > 1]
    known = {piece.piece for piece in model.pieces}
    texts = ["".join(model.pieces[ord(character) - FIRST].piece for character in piece) for piece in merged]
    texts = [text for text in dict.fromkeys(texts) if text not in known]  # in the order of the merges
    require(len(texts) >= num_pieces, f"superwords={num_pieces}: too many for this text, the most are {len(texts)}. "
                                      "Set fewer, or give more text.")
    lowest = min(piece.score for piece in model.pieces)  # a score is minus the merge's rank: these come last
    for rank, text in enumerate(texts[:num_pieces], start=1):
        model.pieces.add(piece=text, score=lowest - rank)
    model.trainer_spec.vocab_size = len(model.pieces)
