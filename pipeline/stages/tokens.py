"""Corpus + tokenizer -> token shards: every document's ids, then the end token, one .npy array a corpus shard.

Nothing is dropped or padded; index.json counts tokens, documents and bytes, so that bits per byte is exact.
"""
import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.compute
import tokenizers
from numpy.lib import format as npy
from sentencepiece import SentencePieceProcessor

from corpora import UserError
from corpora.contamination import DECONTAMINATED
from pipeline.artifact import SCRATCH, replace, write_json
from pipeline.engine import Context, map_shards
from pipeline.parquet import read_batches

BATCH_TOKENS = 1 << 22  # counted at a time
SPLITS = ("train", "validation")


def run(settings, inputs: dict[str, Path], folder: Path, context: Context) -> dict:
    corpus = inputs["corpus"]
    vocab_size, end_token = read_vocabulary(inputs["tokenizer"])
    dtype = "uint16" if vocab_size <= 65_536 else "uint32"
    shards = {f"{split}-{path.stem}": (split, path.name)
              for split in SPLITS for path in sorted((corpus / split).glob("*.parquet"))}
    encode = partial(encode_shard, corpus=corpus, tokenizer=inputs["tokenizer"], folder=folder, dtype=dtype,
                     end_token=end_token)
    rows, _ = map_shards(encode, shards, folder / SCRATCH, context.engine, "tokens")
    totals = {split: {name: sum(row[name] for row in rows if row["split"] == split)
                      for name in ("tokens", "documents", "bytes")} for split in SPLITS}
    shutil.copyfile(corpus / DECONTAMINATED, folder / DECONTAMINATED)
    write_json(folder / "index.json", {"vocab_size": vocab_size, "end_token_id": end_token, "dtype": dtype,
                                       "totals": totals, "shards": rows})
    return totals


def read_vocabulary(folder: Path) -> tuple[int, int]:
    """Number of ids, and the id of the end token; without transformers, whose import costs each worker seconds."""
    vocab = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    eos = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))["eos_token"]
    return max(vocab.values()) + 1, vocab[eos["content"] if isinstance(eos, dict) else eos]


def encode_shard(shard: tuple[str, str], corpus: Path, tokenizer: Path, folder: Path, dtype: str,
                 end_token: int) -> dict:
    """Encode one parquet shard and return its row of index.json."""
    split, source = shard
    path = folder / split / Path(source).with_suffix(".npy").name
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    texts = (batch["text"].to_pylist() for batch in read_batches(corpus / split / source, ["text"]))
    write_tokens(temporary, texts, open_encoder(tokenizer), np.dtype(dtype), end_token)
    replace(temporary, path)
    return {"split": split, "file": f"{split}/{path.name}", "source": f"{split}/{source}",
            **count_shard(path, corpus / split / source, end_token)}


def open_encoder(folder: Path) -> Callable[[list[str]], list]:
    """Texts -> their ids, without special tokens: sentencepiece where there is a model, else tokenizer.json."""
    model = folder / "sentencepiece.model"
    if model.exists():
        processor = SentencePieceProcessor(model_file=str(model))
        return partial(processor.encode, return_type="numpy", num_threads=1)  # the processes are the parallelism
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True  # text that looks like a special token stays text
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda texts: [item.ids for item in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def write_tokens(path: Path, batches: Iterator[list[str]], encode: Callable, dtype: np.dtype,
                 end_token: int) -> None:
    """Write a 1-D .npy array while it grows, one batch of documents in memory at a time."""
    end = np.array([end_token], dtype).tobytes()
    with open(path, "wb") as file:
        # numpy pads the header so that a longer shape fits in its place once the length is known.
        write_header(file, 0, dtype)
        start = file.tell()
        for texts in batches:
            for ids in encode(texts):
                file.write(np.asarray(ids, dtype).tobytes())
                file.write(end)
        length = (file.tell() - start) // dtype.itemsize
        file.seek(0)
        write_header(file, length, dtype)
        assert file.tell() == start, "the .npy header changed its size"


def write_header(file, length: int, dtype: np.dtype) -> None:
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": (length,)}
    npy.write_array_header_1_0(file, header)


def count_shard(path: Path, source: Path, end_token: int) -> dict:
    """Count tokens (end tokens included), documents, and the UTF-8 bytes of their text.

    Raises UserError if the shard holds another number of documents than its source.
    """
    ids = np.load(path, mmap_mode="r", allow_pickle=False)
    ends = sum(int(np.count_nonzero(ids[start:start + BATCH_TOKENS] == end_token))
               for start in range(0, len(ids), BATCH_TOKENS))
    documents = num_bytes = 0
    for batch in read_batches(source, ["text"]):
        documents += len(batch)
        num_bytes += pyarrow.compute.sum(pyarrow.compute.binary_length(batch["text"])).as_py() or 0
    if ends != documents:
        raise UserError(f"{path}: {ends} documents, but {documents} in {source}. Delete it and run make again.")
    return {"tokens": len(ids), "documents": documents, "bytes": num_bytes}
