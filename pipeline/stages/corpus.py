"""The corpus stage: raw text -> clean, deduplicated training and validation text; what is dropped is kept aside.

Three steps: map (read, clean, filter, hash), reduce (equal documents, validation split), map (filter, write).
What a document is and how it is cleaned stands in corpora/; how the report reads, in corpus_report.py.
"""
import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from corpora import UserError
from corpora.clean import check_cleanups, clean, drop_reason, split_text
from corpora.dedup import HASH_BYTES, document_hash, first_occurrences, hashes_to_array, lowest_hashes
from corpora.hub import open_hub, read_hub
from corpora.recipe import Recipe, Shard, load_recipe, make_shards
from corpora.sources import EXCERPT, Bad, read_files
from pipeline.artifact import SCRATCH, replace, write_json
from pipeline.engine import map_shards
from pipeline.stages.corpus_report import COUNTS, SIZES, SPLITS, add_up, write_card, write_report

TRAIN, VALIDATION, DUPLICATE = range(3)
ROW_GROUP_BYTES = 4 << 20
NUM_EXAMPLES = 5
TOLERATED_BAD = 10
"""Unreadable records that a source may have up to half of it: one bad line mustn't stop a small file."""
WORK = pyarrow.schema([("text", pyarrow.string()), ("id", pyarrow.string()), ("bytes", pyarrow.int64()),
                       ("hash", pyarrow.binary(HASH_BYTES))])
TEXT = pyarrow.schema([("text", pyarrow.string()), ("source", pyarrow.string()), ("id", pyarrow.string())])
REJECTS = pyarrow.schema([(name, pyarrow.string()) for name in ("source", "where", "reason", "text")])


def run(settings, inputs: dict[str, Path], folder: Path, context) -> dict:
    """Make the corpus that `settings.recipe` describes; a rerun continues after the last finished shard."""
    recipe = load_recipe(settings.recipe)
    check_cleanups(recipe)
    shards = make_shards(recipe, context.data, lambda source: open_hub(source).num_shards)
    work = folder / SCRATCH
    work.mkdir(exist_ok=True)
    tallies = map_shards(partial(clean_shard, work=work), shards, context.workers, "corpus: clean")
    for source in recipe.source:
        check_readable(source, [tally for shard, tally in zip(shards, tallies) if shard.source == source])
    fates = decide(recipe, shards, work)
    finish = partial(write_shard, folder=folder)
    written = map_shards(finish, list(zip(shards, fates)), context.workers, "corpus: write")
    report = add_up(recipe, shards, tallies, written)
    check_result(recipe, report)
    write_json(folder / "recipe.json", asdict(recipe))
    write_report(folder, recipe, report)
    write_card(folder, recipe, report)
    write_json(folder / "logs" / "speed.json", {
        shard.name: {"megabytes": tally["bytes"] / 1e6, "seconds": tally["seconds"],
                     "megabytes_per_second": tally["bytes"] / 1e6 / tally["seconds"]}
        for shard, tally in zip(shards, tallies)})
    for warning in report["warnings"]:
        print(f"corpus: {warning}")
    return {key: report[key] for key in ("documents", "bytes", "dropped", "train", "validation", "warnings")}


def clean_shard(shard: Shard, work: Path) -> dict:
    """First map: one shard's documents, cleaned, filtered and hashed, to scratch/SHARD.parquet; returns its tally."""
    done = work / f"{shard.name}.json"
    if done.exists():
        return json.loads(done.read_text(encoding="utf-8"))
    start, source = time.monotonic(), shard.source
    tally = {**dict.fromkeys(COUNTS, 0), "unreadable": 0, "dropped": {}}
    with ParquetFile(work / f"{shard.name}.parquet", WORK) as kept, \
            ParquetFile(work / f"{shard.name}.rejects.parquet", REJECTS) as rejects:

        def drop(where: str, reason: str, text: str) -> None:
            rejects.add((source.name, where, reason, text[:EXCERPT]), min(len(text), EXCERPT) * 3)
            note_drops(tally["dropped"], reason, [where], [text])

        for record in read_hub(shard) if source.kind == "hub" else read_files(shard):
            if isinstance(record, Bad):
                tally["unreadable"] += 1
                drop(record.where, "unreadable: " + record.reason, record.text)
                continue
            tally["documents"] += 1
            tally["bytes"] += len(record.text.encode())
            tally["characters"] += len(record.text)
            text, num_repaired, num_space_marks = clean(source, record.text, record.title)
            tally["repaired_lines"] += num_repaired
            tally["space_marks"] += num_space_marks
            pieces = split_text(text, source.split, source.split_bytes)
            for number, piece in enumerate(pieces):
                piece = piece.strip()
                where = record.where if len(pieces) == 1 else f"{record.where}#{number}"
                if number and not piece:
                    continue
                if reason := drop_reason(source, piece):
                    drop(where, reason, piece or record.text)
                else:
                    num_bytes = len(piece.encode())
                    kept.add((piece, where, num_bytes, document_hash(piece)), num_bytes)
    check_readable(source, [tally], whole=False)
    tally["seconds"] = time.monotonic() - start
    write_json(done, tally)
    return tally


def note_drops(dropped: dict, reason: str, wheres: list[str], texts: list[str]) -> None:
    """Count drops under their reason, and keep the first few as examples."""
    entry = dropped.setdefault(reason, {"count": 0, "examples": []})
    entry["count"] += len(wheres)
    for where, text in zip(wheres[:NUM_EXAMPLES - len(entry["examples"])], texts):
        entry["examples"].append({"where": where, "text": text[:200]})


def check_readable(source, tallies: list[dict], whole: bool = True) -> None:
    """Raise UserError when more of a source (or of a shard of it) can't be read than the recipe tolerates."""
    bad = sum(tally["unreadable"] for tally in tallies)
    total = bad + sum(tally["documents"] for tally in tallies)
    tolerated = max(min(TOLERATED_BAD, total // 2), source.max_bad_share * total)
    if bad > tolerated or (whole and bad == total):
        examples = [f" {entry['examples'][0]['where']}: {reason}." for tally in tallies
                    for reason, entry in tally["dropped"].items() if reason.startswith("unreadable")]
        raise UserError(f"source {source.name!r}: {bad} of {total} records can't be read, above the recipe's "
                        f"max_bad_share of {source.max_bad_share:.1%}.{''.join(examples[:3])} Mend the file, take it "
                        "out of the source's paths, or correct the source's format, unit or text.")


def decide(recipe: Recipe, shards: list[Shard], work: Path) -> list[numpy.ndarray]:
    """Reduce: an array of each document's fate for every shard; of equal documents the first one stays."""
    hashes, num_bytes, lengths = [], [], []
    for shard in shards:
        path = work / f"{shard.name}.parquet"
        batches = [batch for batch in read_batches(path, ["hash", "bytes"])]
        hashes += [hashes_to_array(batch["hash"].cast(pyarrow.binary()).buffers()[2]) for batch in batches]
        num_bytes += [batch["bytes"].to_numpy() for batch in batches]
        lengths.append(sum(map(len, batches)))
    hashes = numpy.concatenate([numpy.empty((0, 2), dtype=numpy.uint64), *hashes])
    num_bytes = numpy.concatenate([numpy.empty(0, dtype=numpy.int64), *num_bytes])
    fates = numpy.where(first_occurrences(hashes), TRAIN, DUPLICATE).astype(numpy.uint8)
    source_of = numpy.repeat([recipe.source.index(shard.source) for shard in shards], lengths)
    for index in range(len(recipe.source)):
        mine = numpy.flatnonzero((source_of == index) & (fates == TRAIN))
        fates[mine[lowest_hashes(hashes[mine], num_bytes[mine], recipe.validation_share)]] = VALIDATION
    return numpy.split(fates, numpy.cumsum(lengths)[:-1])


def write_shard(item: tuple[Shard, numpy.ndarray], folder: Path) -> dict:
    """Second map: one shard's documents to train/, validation/ and, with all that was dropped, to rejects/."""
    shard, fates = item
    work, name = folder / SCRATCH, f"{shard.name}.parquet"
    done = work / f"{shard.name}.written.json"
    if done.exists():
        return json.loads(done.read_text(encoding="utf-8"))
    counts = {split: dict.fromkeys(SIZES, 0) for split in SPLITS}
    dropped, position = {}, 0
    with ParquetFile(folder / "train" / name, TEXT) as train, \
            ParquetFile(folder / "validation" / name, TEXT) as validation, \
            ParquetFile(folder / "rejects" / name, REJECTS) as rejects:
        for batch in read_batches(work / f"{shard.name}.rejects.parquet"):
            rejects.add_columns(batch.columns, batch.nbytes)
        for batch in read_batches(work / name):
            here = fates[position:position + len(batch)]
            position += len(batch)
            for fate, split, file in ((TRAIN, "train", train), (VALIDATION, "validation", validation)):
                part = batch.filter(pyarrow.array(here == fate))
                sizes = (part.num_rows, pyarrow.compute.utf8_length(part["text"]).to_numpy().sum(),
                         part["bytes"].to_numpy().sum())
                for key, size in zip(SIZES, sizes):
                    counts[split][key] += int(size)
                file.add_columns([part["text"], [shard.source.name] * len(part), part["id"]], int(sizes[-1]))
            copies = batch.filter(pyarrow.array(here == DUPLICATE))
            if len(copies):
                texts = pyarrow.compute.utf8_slice_codeunits(copies["text"], 0, 200)
                names, reasons = [shard.source.name] * len(copies), ["duplicate"] * len(copies)
                rejects.add_columns([names, copies["id"], reasons, texts], texts.nbytes)
                note_drops(dropped, "duplicate", copies["id"].to_pylist(), texts.to_pylist())
    result = {**counts, "dropped": dropped}
    write_json(done, result)
    return result


def read_batches(path: Path, columns: list[str] | None = None) -> Iterable[pyarrow.RecordBatch]:
    """A work file's rows, a row group at a time; none if the shard had no such rows."""
    if path.exists():
        with pyarrow.parquet.ParquetFile(path) as file:
            for group in range(file.num_row_groups):  # iter_batches holds on to more than one
                yield from file.read_row_group(group, columns).combine_chunks().to_batches()


def check_result(recipe: Recipe, report: dict) -> None:
    """Raise UserError for a corpus that nothing can be trained or measured on; note what is merely thin."""
    if not report["train"]["documents"]:
        reasons = ", ".join(f"{reason} {count}" for reason, count in report["dropped"].items())
        raise UserError(f"{recipe.title}: the corpus is empty: none of {report['documents']} documents is left "
                        f"({reasons}). Loosen the limits of the recipe's sources.")
    validation = report["validation"]["bytes"]
    total = validation + report["train"]["bytes"]
    if recipe.validation_share and not validation:
        raise UserError(f"{recipe.title}: no document is left for validation: raise validation_share, or let the "
                        'sources cut long texts (split = "paragraph").')
    if validation < 64 << 10 and validation < 0.05 * total:
        report["warnings"].append(f"Only {validation:,} bytes of validation text: bits per byte will be noisy.")
    for name, source in report["sources"].items():
        if not source["train"]["documents"]:
            report["warnings"].append(f"Source {name} contributes no training text.")


class ParquetFile:
    """Rows to a zstd Parquet file in row groups of a few MB, under its final name only when complete.

    No rows, no file. The bytes depend on the rows alone.
    """

    def __init__(self, path: Path, schema: pyarrow.Schema):
        self.path, self.temporary, self.schema = path, path.with_name(path.name + ".tmp"), schema
        self.rows, self.tables, self.num_bytes, self.writer = [], [], 0, None

    def __enter__(self) -> "ParquetFile":
        return self

    def add(self, row: tuple, num_bytes: int) -> None:
        self.rows.append(row)
        self._grow(num_bytes)

    def add_columns(self, columns: list, num_bytes: int) -> None:
        if len(columns[0]):
            self.tables.append(pyarrow.table(columns, schema=self.schema))
            self._grow(num_bytes)

    def _grow(self, num_bytes: int) -> None:
        self.num_bytes += num_bytes + 64
        if self.num_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self.rows:
            self.tables.append(pyarrow.table(list(zip(*self.rows)), schema=self.schema))
        if self.tables:
            if self.writer is None:
                self.path.parent.mkdir(exist_ok=True)
                self.writer = pyarrow.parquet.ParquetWriter(self.temporary, self.schema, compression="zstd",
                                                            use_dictionary=["source", "reason"])
            self.writer.write_table(pyarrow.concat_tables(self.tables).combine_chunks())
        self.rows, self.tables, self.num_bytes = [], [], 0

    def __exit__(self, kind, error, traceback) -> None:
        if kind is None:
            self._flush()
        if self.writer is not None:
            self.writer.close()
            if kind is None:
                replace(self.temporary, self.path)
