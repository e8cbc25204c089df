"""Corpus + tokenizer -> token shards: every document's ids, then the end token, one .npy array a
corpus shard. Nothing is dropped or padded; index.json counts tokens, documents and bytes, so that
bits per byte is exact."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
import pyarrow
import tokenizers
from pyarrow.compute import call_function
from sentencepiece import SentencePieceProcessor

from corpora.contamination import DECONTAMINATED
from corpora.errors import require
from corpora.tasks.task import SPLITS
from pipeline.artifacts.files import publish, write_json
from pipeline.artifacts.manifest import SCRATCH
from pipeline.artifacts.parquet import read_batches
from pipeline.executors import Context, map_shards
from pipeline.settings import TokensSettings

Encode = Callable[[list[str]], Sequence[np.ndarray | list[int]]]
"""Texts -> the ids of each, without special tokens."""


class Vocabulary(NamedTuple):
    """What the token shards have to know of a tokenizer."""

    size: int
    end_token: int  # the id that follows every document


class Counts(TypedDict):
    """What stands in a shard, or in a split."""

    tokens: int  # end tokens included
    documents: int
    bytes: int  # of text, in UTF-8


class ShardRow(Counts):
    """A shard's row of index.json."""

    split: str
    file: str
    source: str


def run(
    settings: TokensSettings, inputs: dict[str, Path], folder: Path, context: Context
) -> dict[str, Any]:
    """Encode every shard of the corpus; return the counts of each split."""
    corpus = inputs["corpus"]
    tokenizer = inputs["tokenizer"]
    vocabulary = read_vocabulary(tokenizer)
    dtype = "uint16" if vocabulary.size <= 65_536 else "uint32"
    encode = partial(
        encode_shard,
        corpus=corpus,
        tokenizer=tokenizer,
        folder=folder,
        dtype=dtype,
        end_token=vocabulary.end_token,
    )
    shards = {
        f"{split}-{path.stem}": (split, path.name)
        for split in SPLITS
        for path in sorted((corpus / split).glob("*.parquet"))
    }
    rows, _ = map_shards(encode, shards, folder / SCRATCH, context, "tokens")
    totals = {split: add_counts(rows, split) for split in SPLITS}
    shutil.copyfile(corpus / DECONTAMINATED, folder / DECONTAMINATED)
    index = {
        "vocab_size": vocabulary.size,
        "end_token_id": vocabulary.end_token,
        "dtype": dtype,
        "totals": totals,
        "shards": rows,
    }
    write_json(folder / "index.json", index)
    return totals


def read_vocabulary(tokenizer: Path) -> Vocabulary:
    """Read the size and the end token of a saved tokenizer, without the seconds that transformers
    needs for its import."""
    vocab = tokenizers.Tokenizer.from_file(str(tokenizer / "tokenizer.json")).get_vocab()
    config = json.loads((tokenizer / "tokenizer_config.json").read_text(encoding="utf-8"))
    end_token = config["eos_token"]
    if isinstance(end_token, dict):
        end_token = end_token["content"]
    return Vocabulary(max(vocab.values()) + 1, vocab[end_token])


def add_counts(rows: list[ShardRow], split: str) -> Counts:
    """The sums over a split's shards."""
    chosen = [row for row in rows if row["split"] == split]
    return {
        "tokens": sum(row["tokens"] for row in chosen),
        "documents": sum(row["documents"] for row in chosen),
        "bytes": sum(row["bytes"] for row in chosen),
    }


def encode_shard(
    shard: tuple[str, str],
    corpus: Path,
    tokenizer: Path,
    folder: Path,
    dtype: str,
    end_token: int,
) -> ShardRow:
    """Encode one Parquet shard, (split, file name); return its row of index.json."""
    split, source = shard
    path = (folder / split / source).with_suffix(".npy")
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    batches = (batch["text"] for batch in read_batches(corpus / split / source, ["text"]))
    counts = write_tokens(temporary, batches, open_encoder(tokenizer), dtype, end_token)
    publish(temporary, path)
    return {
        "split": split,
        "file": f"{split}/{path.name}",
        "source": f"{split}/{source}",
        **counts,
    }


def open_encoder(folder: Path) -> Encode:
    """Open a saved tokenizer: with sentencepiece where there is a model, else tokenizer.json."""
    model = folder / "sentencepiece.model"
    if model.exists():
        return open_sentencepiece(model)
    return open_tokenizers(folder / "tokenizer.json")


def open_sentencepiece(path: Path) -> Encode:
    """Texts -> ids, by sentencepiece."""
    processor = SentencePieceProcessor(model_file=str(path))

    def encode(texts: list[str]) -> list[np.ndarray]:
        # One thread: the processes are the parallelism.
        return processor.encode(texts, return_type="numpy", num_threads=1)

    return encode


def open_tokenizers(path: Path) -> Encode:
    """Texts -> ids, by tokenizers."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are the parallelism
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True  # text that looks like a special token stays text
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def encode(texts: list[str]) -> list[list[int]]:
        encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    return encode


def write_tokens(
    path: Path, batches: Iterable[pyarrow.Array], encode: Encode, dtype: str, end_token: int
) -> Counts:
    """Write a 1-D .npy array while it grows, one batch of documents in memory at a time.

    Raises UserError where text itself became an end token.
    """
    counts: Counts = {"tokens": 0, "documents": 0, "bytes": 0}
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (0,)}
    with open(path, "wb") as file:
        # numpy pads the header so that a longer shape fits in its place once the length is known.
        np.lib.format.write_array_header_1_0(file, header)
        for texts in batches:
            tokens = join_documents(encode(texts.to_pylist()), dtype, end_token)
            num_documents = np.count_nonzero(tokens == end_token)
            require(
                num_documents == len(texts),
                f"{path}: {num_documents} documents, but {len(texts)} in its source: the tokenizer "
                "makes end tokens of text. Adopt one that leaves text as it is, or train one (no "
                "INIT=).",
            )
            file.write(tokens.data)
            counts["tokens"] += len(tokens)
            counts["documents"] += len(texts)
            counts["bytes"] += count_bytes(texts)
        file.seek(0)
        np.lib.format.write_array_header_1_0(file, header | {"shape": (counts["tokens"],)})
    return counts


def join_documents(
    documents: Sequence[np.ndarray | list[int]], dtype: str, end_token: int
) -> np.ndarray:
    """All documents' ids in one array, the end token after each."""
    end = np.array([end_token])
    parts = [part for ids in documents for part in (ids, end)]
    return np.concatenate(parts, dtype=dtype, casting="unsafe")


def count_bytes(texts: pyarrow.Array) -> int:
    """UTF-8 bytes of all texts."""
    return call_function("sum", [call_function("binary_length", [texts])]).as_py()
