"""Second map: a shard's documents to training, validation and rejects, as the reduce decided."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute

from corpora.duplicates.precedence import TRAIN, VALIDATION
from corpora.sources.shards import Shard
from pipeline.artifacts.manifest import SCRATCH
from pipeline.artifacts.parquet import ParquetFile, read_batches
from pipeline.stages.corpus.tables import CLUSTERS, REJECTS, TEXT
from pipeline.stages.corpus.tally import Size, Tally


def write_shard(item: tuple[Shard, int], folder: Path) -> dict[str, Any]:
    """Write one shard's part of the corpus to `folder`; return what was written.

    The item is the shard and the number of its first document among all shards'.
    """
    shard, start = item
    work = folder / SCRATCH
    name = f"{shard.name}.parquet"
    fates_D = np.load(work / "fates.npy", mmap_mode="r")
    clusters_2C = np.load(work / "clusters.npy", mmap_mode="r")
    written = Tally()
    with (
        ParquetFile(folder / "train" / name, TEXT) as train,
        ParquetFile(folder / "validation" / name, TEXT) as validation,
        ParquetFile(folder / "clusters" / name, CLUSTERS) as clusters,
        ParquetFile(folder / "rejects" / name, REJECTS) as rejects,
    ):
        for batch in read_batches(work / f"{shard.name}.rejects.parquet"):
            rejects.add(*batch.columns)
        for batch in read_batches(work / name):
            end = start + len(batch)
            fates_B = np.array(fates_D[start:end])
            written.train.add(write_split(batch, fates_B == TRAIN, shard, train))
            written.validation.add(write_split(batch, fates_B == VALIDATION, shard, validation))
            reject_copies(batch, fates_B, shard, rejects, written)
            here = slice(*np.searchsorted(clusters_2C[0], [start, end]))
            numbers, num_documents = clusters_2C[:, here]
            stayed = batch.take(pyarrow.array(numbers - start))
            clusters.add(numbers, num_documents, stayed["id"], excerpts(stayed))
            start = end
    return asdict(written)


def write_split(
    batch: pyarrow.RecordBatch, is_here_B: np.ndarray, shard: Shard, file: ParquetFile
) -> Size:
    """Write the documents that belong to a split; return how much that is."""
    part = batch.filter(pyarrow.array(is_here_B))
    file.add(part["text"], [shard.source.name] * len(part), part["id"])
    lengths = pyarrow.compute.call_function("utf8_length", [part["text"]])
    num_characters = lengths.to_numpy().sum()
    return Size(part.num_rows, int(num_characters), int(part["bytes"].to_numpy().sum()))


def reject_copies(
    batch: pyarrow.RecordBatch, fates_B: np.ndarray, shard: Shard, file: ParquetFile, written: Tally
) -> None:
    """Write and count the documents that equal another one, or are alike."""
    is_copy_B = fates_B >= 0
    copies = batch.filter(pyarrow.array(is_copy_B))
    clusters, only_alike = np.divmod(fates_B[is_copy_B], 2)
    reasons = ["near duplicate" if alike else "duplicate" for alike in only_alike]
    texts = excerpts(copies)
    file.add([shard.source.name] * len(copies), copies["id"], reasons, texts, clusters)
    for reason, place, text in zip(reasons, copies["id"].to_pylist(), texts.to_pylist()):
        written.drop(reason, place, text)


def excerpts(batch: pyarrow.RecordBatch) -> pyarrow.Array:
    """The first 200 characters of each text."""
    beginning = pyarrow.compute.SliceOptions(0, 200)
    return pyarrow.compute.call_function("utf8_slice_codeunits", [batch["text"]], beginning)
