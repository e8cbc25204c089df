"""A corpus's Parquet files, written from texts: for tests of the stages that read one."""

from pathlib import Path

import pyarrow
import pyarrow.parquet


def write_shard(path: Path, texts: list[str]) -> None:
    """Write one shard of a corpus, with the columns that the stages read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source, _, _ = path.stem.rpartition("-")
    columns = {
        "text": texts,
        "source": [source] * len(texts),
        "id": [f"{source}-{index}" for index in range(len(texts))],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path, compression="zstd")


def write_corpus(folder: Path, num_shards: int = 2, **splits: list[str]) -> Path:
    """Write a corpus of one source, law, whose texts are dealt out to the shards of each split."""
    for split, texts in splits.items():
        for number in range(num_shards):
            write_shard(folder / split / f"law-{number:05d}.parquet", texts[number::num_shards])
    return folder
