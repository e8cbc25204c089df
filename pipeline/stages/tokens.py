"""Corpus + tokenizer -> token shards: every document's ids, then the end token, one .npy array a
corpus shard. Nothing is dropped or padded; index.json counts tokens, documents and bytes, so that
bits per byte is exact."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import tokenizers
from pyarrow.compute import call_function
from sentencepiece import SentencePieceProcessor

from corpora.contamination import DECONTAMINATED
from corpora.errors import require
from corpora.recipe import RECIPE_FILE
from corpora.tasks.task import SPLITS
from pipeline.artifacts.files import publish, write_json
from pipeline.artifacts.manifest import SCRATCH
from pipeline.artifacts.parquet import read_batches
from pipeline.executors import Context, map_shards
from pipeline.settings import TokensSettings

Encode = Callable[[list[str]], Sequence[np.ndarray | list[int]]]
"""Texts -> the ids of each, without special tokens."""


def run(
    settings: TokensSettings, inputs: dict[str, Path], folder: Path, context: Context
) -> dict[str, Any]:
    """Encode every shard of the corpus; return the counts of each split."""
    corpus = inputs["corpus"]
    tokenizer = inputs["tokenizer"]
    vocab_size, end_token = read_vocabulary(tokenizer)
    dtype = "uint16" if vocab_size <= 65_536 else "uint32"
    encode = partial(
        encode_shard,
        corpus=corpus,
        tokenizer=tokenizer,
        folder=folder,
        dtype=dtype,
        end_token=end_token,
    )
    shards = {
        f"{split}-{path.stem}": (split, path.name)
        for split in SPLITS
        for path in sorted((corpus / split).glob("*.parquet"))
    }
    rows, _ = map_shards(encode, shards, folder / SCRATCH, context, "tokens")
    totals = {split: _add_counts(rows, split) for split in SPLITS}
    for name in (DECONTAMINATED, RECIPE_FILE):  # of which the model's card tells
        shutil.copyfile(corpus / name, folder / name)
    index = {
        "vocab_size": vocab_size,
        "end_token_id": end_token,
        "dtype": dtype,
        "totals": totals,
        "shards": rows,
    }
    write_json(folder / "index.json", index)
    return totals


def read_vocabulary(tokenizer: Path) -> tuple[int, int]:
    """Read the vocabulary's size and the end token's id of a saved tokenizer, without the seconds
    that transformers needs for its import."""
    vocab = tokenizers.Tokenizer.from_file(str(tokenizer / "tokenizer.json")).get_vocab()
    config = json.loads((tokenizer / "tokenizer_config.json").read_text(encoding="utf-8"))
    end_token = config["eos_token"]
    if isinstance(end_token, dict):
        end_token = end_token["content"]
    return max(vocab.values()) + 1, vocab[end_token]


def _add_counts(rows: list[dict[str, Any]], split: str) -> dict[str, int]:
    chosen = [row for row in rows if row["split"] == split]
    return {count: sum(row[count] for row in chosen) for count in ("tokens", "documents", "bytes")}


def encode_shard(
    shard: tuple[str, str],
    corpus: Path,
    tokenizer: Path,
    folder: Path,
    dtype: str,
    end_token: int,
) -> dict[str, Any]:
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
        processor = SentencePieceProcessor(model_file=str(model))
        # One thread: the processes are the parallelism.
        return partial(processor.encode, return_type="numpy", num_threads=1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # likewise
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True  # text that looks like a special token stays text
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def encode(texts: list[str]) -> list[list[int]]:
        encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    return encode


def write_tokens(
    path: Path, batches: Iterable[pyarrow.Array], encode: Encode, dtype: str, end_token: int
) -> dict[str, int]:
    """Write a 1-D .npy array while it grows, one batch of documents in memory at a time.

    Returns how many tokens (end tokens included), documents and bytes of UTF-8 it holds. Raises
    UserError where text itself became an end token.
    """
    counts = {"tokens": 0, "documents": 0, "bytes": 0}
    end = np.array([end_token])
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (0,)}
    with open(path, "wb") as file:
        # numpy pads the header so that a longer shape fits in its place once the length is known.
        np.lib.format.write_array_header_1_0(file, header)
        for texts in batches:
            documents = encode(texts.to_pylist())
            parts = [part for ids in documents for part in (ids, end)]
            tokens = np.concatenate(parts, dtype=dtype, casting="unsafe")
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
            num_bytes = call_function("sum", [call_function("binary_length", [texts])])
            counts["bytes"] += num_bytes.as_py()
        file.seek(0)
        np.lib.format.write_array_header_1_0(file, header | {"shape": (counts["tokens"],)})
    return counts
