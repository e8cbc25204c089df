"""Corpus + tokenizer -> token shards: every document's ids, then the end token, one .npy array a corpus shard. Nothing
is dropped or padded; index.json counts tokens, documents and bytes, so that bits per byte is exact."""
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.compute
import tokenizers
from sentencepiece import SentencePieceProcessor

from corpora.contamination import DECONTAMINATED
from corpora.errors import require
from corpora.tasks.task import SPLITS
from pipeline.artifacts.files import publish, write_json
from pipeline.artifacts.manifest import SCRATCH
from pipeline.artifacts.parquet import read_batches
from pipeline.executors import Context, map_shards


def run(settings, inputs: dict[str, Path], folder: Path, context: Context) -> dict:
    corpus, tokenizer = inputs["corpus"], inputs["tokenizer"]
    # Without transformers, whose import costs each worker seconds.
    vocab = tokenizers.Tokenizer.from_file(str(tokenizer / "tokenizer.json")).get_vocab()
    eos = json.loads((tokenizer / "tokenizer_config.json").read_text(encoding="utf-8"))["eos_token"]
    vocab_size, end_token = max(vocab.values()) + 1, vocab[eos["content"] if isinstance(eos, dict) else eos]
    dtype = "uint16" if vocab_size <= 65_536 else "uint32"
    shards = {f"{split}-{path.stem}": (split, path.name)
              for split in SPLITS for path in sorted((corpus / split).glob("*.parquet"))}
    encode = partial(encode_shard, corpus=corpus, tokenizer=tokenizer, folder=folder, dtype=dtype, end_token=end_token)
    rows, _ = map_shards(encode, shards, folder / SCRATCH, context, "tokens")
    totals = {split: {name: sum(row[name] for row in rows if row["split"] == split)
                      for name in ("tokens", "documents", "bytes")} for split in SPLITS}
    shutil.copyfile(corpus / DECONTAMINATED, folder / DECONTAMINATED)
    write_json(folder / "index.json", {"vocab_size": vocab_size, "end_token_id": end_token, "dtype": dtype,
                                       "totals": totals, "shards": rows})
    return totals


def encode_shard(shard: tuple, corpus: Path, tokenizer: Path, folder: Path, dtype: str, end_token: int) -> dict:
    """Encode one parquet shard, (split, file name), and return its row of index.json."""
    split, source = shard
    path = (folder / split / source).with_suffix(".npy")
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    batches = (batch["text"] for batch in read_batches(corpus / split / source, ["text"]))
    counts = write_tokens(temporary, batches, open_encoder(tokenizer), dtype, end_token)
    publish(temporary, path)
    return {"split": split, "file": f"{split}/{path.name}", "source": f"{split}/{source}", **counts}


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


def write_tokens(path: Path, batches: Iterable[pyarrow.Array], encode: Callable, dtype: str, end_token: int) -> dict:
    """Write a 1-D .npy array while it grows, one batch of documents in memory at a time; returns the numbers of tokens
    (end tokens included), documents and UTF-8 bytes of text. Raises UserError where text itself became an end token."""
    end, counts = np.array([end_token]), Counter(tokens=0, documents=0, bytes=0)
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (0,)}
    with open(path, "wb") as file:
        # numpy pads the header so that a longer shape fits in its place once the length is known.
        np.lib.format.write_array_header_1_0(file, header)
        for texts in batches:
            parts = [part for ids in encode(texts.to_pylist()) for part in (ids, end)]
            tokens = np.concatenate(parts, dtype=dtype, casting="unsafe")
            documents = np.count_nonzero(tokens == end_token)
            require(documents == len(texts), f"{path}: {documents} documents, but {len(texts)} in its source: the "
                    "tokenizer makes end tokens of text. Adopt one that leaves text as it is, or train one (no INIT=).")
            file.write(tokens)
            num_bytes = pyarrow.compute.sum(pyarrow.compute.binary_length(texts)).as_py()
            counts.update(tokens=len(tokens), documents=len(texts), bytes=num_bytes)
        file.seek(0)
        np.lib.format.write_array_header_1_0(file, header | {"shape": (counts["tokens"],)})
    return counts
