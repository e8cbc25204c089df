"""The corpus stage: raw text -> clean, deduplicated training and validation text; drops are kept aside. Its steps: map
(read, clean, filter, hash), reduce (duplicates, validation split), map (write). corpora/ says how text is judged."""
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, compress, zip_longest
from pathlib import Path

import numpy as np
import pyarrow.compute
import xxhash
from pyarrow import dataset

from corpora.cleaning.cleanups import load_cleanups
from corpora.cleaning.filters import drop_lines, drop_reasons
from corpora.cleaning.normalise import clean
from corpora.cleaning.split import split_text
from corpora.contamination import DECONTAMINATED, Index, load_index
from corpora.duplicates.clusters import TRAIN, VALIDATION, choose, find_clusters, lowest_hashes
from corpora.duplicates.minhash import band_keys
from corpora.duplicates.texts import Texts, letter_hashes
from corpora.errors import require
from corpora.pii import replace_personal_data
from corpora.recipe import Recipe, Source, load_recipe
from corpora.sources.hub import open_hub, read_hub
from corpora.sources.read import read_file
from corpora.sources.records import EXCERPT
from corpora.sources.shards import Shard, make_shards
from corpora.tasks.task import SPLITS
from pipeline.artifacts.files import fsync, write_json
from pipeline.artifacts.manifest import SCRATCH
from pipeline.artifacts.parquet import ParquetFile, read_batches
from pipeline.executors import Context, map_shards
from pipeline.reports.render import write_page

SIZES = ("documents", "characters", "bytes")
COUNTS = (*SIZES, "changed", "repaired_lines", "space_marks", "unreadable", "kept")
NUM_EXAMPLES, NUM_PAIRS = 5, 10
BATCH_CHARACTERS = 300_000  # judged at a time: enough for arrays to pay, little enough to stay in cache
TOLERATED_BAD = 10  # unreadable records that a source may have up to half of it: one bad line mustn't stop a small file
CERTAINLY_BAD = 100  # unreadable records and no other in a shard, above which a setting is wrong, not a file damaged
CLUSTER_SIZES = {"2": 2, "3": 3, "4": 4, "5 to 9": 5, "10 to 99": 10, "100 to 999": 100, "1000 or more": 1000}
WORK = pyarrow.schema({"text": "string", "id": "string", "bytes": "int64"})
TEXT = pyarrow.schema({"text": "string", "source": "string", "id": "string"})
REJECTS = pyarrow.schema(dict.fromkeys(("source", "where", "reason", "text"), "string") | {"cluster": "int64"})
CLUSTERS = pyarrow.schema({"cluster": "int64", "documents": "int64", "id": "string", "text": "string"})


def run(settings, inputs: dict[str, Path], folder: Path, context) -> dict:
    """Make the corpus that `settings.recipe` describes; a rerun continues after the last finished shard."""
    recipe, work = load_recipe(settings.recipe), folder / SCRATCH
    index, fingerprints = load_index(recipe, context.data)
    shards = make_shards(recipe, context.data, lambda source: open_hub(source).num_shards)
    tallies, clean_cost = map_shards(partial(clean_shard, work=work, recipe=recipe, index=index),
                                     {shard.name: shard for shard in shards}, work / "clean", context, "corpus: clean")
    for source in recipe.source:
        check_readable(source, [tally for shard, tally in zip(shards, tallies) if shard.source == source])
    bounds = np.cumsum([0, *(tally["kept"] for tally in tallies)]).tolist()
    (decisions,), reduce_cost = map_shards(partial(decide, recipe, shards, work), {"all": bounds}, work / "reduce",
                                           Context(), "corpus: reduce")
    written, write_cost = map_shards(partial(write_shard, folder=folder),
                                     {shard.name: (shard, start) for shard, start in zip(shards, bounds)},
                                     work / "write", context._replace(merge=False), "corpus: write")
    report = add_up(recipe, shards, tallies, written) | {"clusters": decisions, "steps": {
        "clean": clean_cost, "reduce": reduce_cost | {"documents": bounds[-1]}, "write": write_cost}}
    check_result(recipe, report)
    write_json(folder / "recipe.json", recipe.model_dump(mode="json"))
    write_json(folder / DECONTAMINATED, fingerprints)
    write_report(folder, recipe, report)
    for warning in report["warnings"]:
        print(f"corpus: {warning}")
    return {key: report[key] for key in ("documents", "bytes", "dropped", "train", "validation", "warnings")}


def clean_shard(shard: Shard, work: Path, recipe: Recipe, index: Index) -> dict:
    """First map: one shard's documents, cleaned, judged and hashed, to scratch/SHARD.parquet; returns its tally."""
    source, tally = shard.source, dict.fromkeys(COUNTS, 0) | {"dropped": {}, "personal_data": {}, "pairs": []}
    drops = []
    with ParquetFile(work / f"{shard.name}.parquet", WORK) as kept, \
            ParquetFile(work / f"{shard.name}.features.parquet", features(recipe)) as known, \
            ParquetFile(work / f"{shard.name}.rejects.parquet", REJECTS) as rejects:
        def drop(where: str, reason: str, text: str) -> None:
            text = replace_personal_data(text[:EXCERPT], recipe.personal_data)[0]  # what can't be read wasn't looked at
            drops.append((source.name, where, reason, text, None))
            if len(drops) == 1000:
                rejects.add(*zip(*drops))
                drops.clear()
            note_drop(tally["dropped"], reason, where, text)

        for batch in read_pieces(shard, recipe, tally, drop):
            wheres, texts = map(list, zip(*batch))
            arrays = Texts(texts)
            shorter, lines = drop_lines(arrays, texts, source)
            for number, line, reason in lines:
                drop(wheres[number], reason, line)
            if lines:
                arrays = Texts(shorter)
            reasons = drop_reasons(arrays, shorter, source)
            for number, name in index.find(arrays).items():
                reasons[number] = reasons[number] or f"evaluation text: {name}"
            for number, reason in enumerate(reasons):
                if reason:
                    drop(wheres[number], reason, shorter[number] or texts[number])
            good = np.array([not reason for reason in reasons])
            raw = [text.encode() for text in shorter]
            sizes = [len(each) for each in raw]
            columns = [[xxhash.xxh3_64_intdigest(each) for each in raw], sizes, np.diff(arrays.bounds_D1),
                       letter_hashes(arrays, shorter),
                       *band_keys(arrays, recipe.shingle_words, recipe.bands, recipe.band_rows)]
            known.add(*(np.asarray(values, dtype=np.uint64)[good] for values in columns))
            kept.add(*(list(compress(each, good)) for each in (shorter, wheres, sizes)))
            tally["kept"] += int(good.sum())
        if drops:
            rejects.add(*zip(*drops))
    if tally["unreadable"] > CERTAINLY_BAD and not tally["documents"]:  # no need to read the others
        check_readable(source, [tally])
    return tally


def read_pieces(shard: Shard, recipe: Recipe, tally: dict, drop: Callable) -> Iterator[list[tuple[str, str]]]:
    """A shard's cleaned documents, long ones cut, as batches of (place, text); counts what it sees in the tally."""
    source, batch, size = shard.source, [], 0
    steps = list(map(load_cleanups(recipe).get, source.clean))
    files = chain.from_iterable(read_file(source, path, label) for path, label in shard.files)
    for record in read_hub(shard) if source.kind == "hub" else files:
        if record.reason:
            tally["unreadable"] += 1
            drop(record.where, "unreadable: " + record.reason, record.text)
            continue
        raw, before = record.text.encode(), record.text.strip()
        text, num_repaired, num_space_marks = clean(record.text, record.title, steps)
        text, found = replace_personal_data(text, recipe.personal_data)
        merge(tally, {"documents": 1, "bytes": len(raw), "characters": len(record.text), "repaired_lines": num_repaired,
                      "space_marks": num_space_marks, "personal_data": found, "changed": text != before})
        if text != before:  # the changed texts of the lowest hashes are shown in the report
            rank, pairs = -xxhash.xxh3_64_intdigest(raw), tally["pairs"]
            if len(pairs) < NUM_PAIRS or rank > pairs[-1][0]:
                before, _ = replace_personal_data(before, recipe.personal_data)  # a report isn't to hold any
                if before != text:
                    start = max(0, next(at for at, (a, b) in enumerate(zip_longest(before, text)) if a != b) - 40)
                    pairs.append((rank, record.where, before[start:start + 200], text[start:start + 200]))
                    tally["pairs"] = sorted(pairs, reverse=True)[:NUM_PAIRS]
        if not text:
            drop(record.where, "empty", record.text)
        pieces = split_text(text, source.split, source.split_bytes)
        for number, piece in enumerate(pieces):
            where, piece = record.where if len(pieces) == 1 else f"{record.where}#{number}", piece.strip()
            if len(piece) > source.max_chars:
                drop(where, "too long", piece)
            elif piece:
                batch.append((where, piece))
                size += len(piece)
            if size >= BATCH_CHARACTERS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def check_readable(source: Source, tallies: list[dict]) -> None:
    """Raise UserError when more of a source can't be read than the recipe tolerates."""
    bad = sum(tally["unreadable"] for tally in tallies)
    total = bad + sum(tally["documents"] for tally in tallies)
    tolerated = max(min(TOLERATED_BAD, total // 2), source.max_bad_share * total)
    examples = [f" {entry['examples'][0]['where']}: {reason}." for tally in tallies
                for reason, entry in tally["dropped"].items() if reason.startswith("unreadable")]
    require(bad <= tolerated and bad < total, f"source {source.name!r}: {bad} of {total} records can't be read, above "
            f"the recipe's max_bad_share of {source.max_bad_share:.1%}.{''.join(examples[:3])} Mend the file, take it "
            "out of the source's paths, or correct the source's format, unit or text.")


def features(recipe: Recipe) -> pyarrow.Schema:
    """What the reduce knows of a document, 8 bytes each: xxh3 of the text, its sizes, and what equals are told by."""
    bands = (f"band{number:02d}" for number in range(recipe.bands))
    return pyarrow.schema(dict.fromkeys(("text", "bytes", "num_letters", "letters", *bands), "uint64"))


def decide(recipe: Recipe, shards: list[Shard], work: Path, bounds: list[int]) -> dict:
    """Reduce: fates and clusters to scratch/*.npy; returns cluster sizes. `bounds`: where shards begin, and the end."""
    def column(name: str) -> np.ndarray:
        values, end = np.empty(bounds[-1], dtype=np.uint64), 0
        for shard in shards:
            for batch in read_batches(work / f"{shard.name}.features.parquet", [name]):
                start, end = end, end + len(batch)
                values[start:end] = batch[name]
        return values

    ranks = np.repeat(np.array([recipe.source.index(shard.source) for shard in shards], np.uint16), np.diff(bounds))
    dropped, kept, equal = choose(
        find_clusters(map(column, features(recipe).names[3:]), len(ranks)), ranks, column)
    fates = np.full(len(ranks), TRAIN, dtype=np.int32 if len(ranks) < 1 << 30 else np.int64)
    fates[dropped] = 2 * kept.astype(fates.dtype) + ~equal
    numbers, counts = np.unique(kept, return_counts=True)
    del dropped, kept, equal  # memory here is what limits the size of a corpus
    sizes, hashes = column("bytes").astype(np.uint32), column("text")
    for rank in range(len(recipe.source)):
        mine = (ranks == rank) & (fates == TRAIN)
        fates[lowest_hashes(hashes, sizes, mine, recipe.validation_share)] = VALIDATION
    for name, array in (("fates", fates), ("clusters", np.stack([numbers, counts + 1]))):
        np.save(work / f"{name}.npy", array)
        fsync(work / f"{name}.npy")  # before the engine says that this step is done
    largest = np.lexsort((hashes[numbers], -counts))[:10]
    spread, _ = np.histogram(counts + 1, [*CLUSTER_SIZES.values(), np.inf])
    return {"clusters": len(numbers), "documents": int(counts.sum() + len(numbers)),
            "sizes": dict(zip(CLUSTER_SIZES, spread.tolist())), "largest": numbers[largest].tolist()}


def write_shard(item: tuple[Shard, int], folder: Path) -> dict:
    """Second map: one shard's documents to train/, validation/, and what was dropped to rejects/."""
    (shard, end), work = item, folder / SCRATCH
    name, source = f"{shard.name}.parquet", shard.source.name
    fates, clusters = (np.load(work / f"{each}.npy", mmap_mode="r") for each in ("fates", "clusters"))
    counts, dropped = {split: dict.fromkeys(SIZES, 0) for split in SPLITS}, {}
    with ParquetFile(folder / "train" / name, TEXT) as train, \
            ParquetFile(folder / "validation" / name, TEXT) as validation, \
            ParquetFile(folder / "clusters" / name, CLUSTERS) as kept, \
            ParquetFile(folder / "rejects" / name, REJECTS) as rejects:
        for batch in read_batches(work / f"{shard.name}.rejects.parquet"):
            rejects.add(*batch.columns)
        for batch in read_batches(work / name):
            start, end = end, end + len(batch)
            here = np.array(fates[start:end])
            for fate, split, file in ((TRAIN, "train", train), (VALIDATION, "validation", validation)):
                part = batch.filter(pyarrow.array(here == fate))
                sizes = (part.num_rows, pyarrow.compute.utf8_length(part["text"]).to_numpy().sum(),
                         part["bytes"].to_numpy().sum())
                merge(counts[split], dict(zip(SIZES, map(int, sizes))))
                file.add(part["text"], [source] * len(part), part["id"])
            copies, here = batch.filter(pyarrow.array(here >= 0)), here[here >= 0]
            reasons = ["near duplicate" if alike else "duplicate" for alike in here % 2]
            excerpts = pyarrow.compute.utf8_slice_codeunits(copies["text"], 0, 200)
            rejects.add([source] * len(copies), copies["id"], reasons, excerpts, here // 2)
            for row in zip(reasons, copies["id"].to_pylist(), excerpts.to_pylist()):
                note_drop(dropped, *row)
            numbers, documents = clusters[:, slice(*np.searchsorted(clusters[0], [start, end]))]
            stayed = batch.take(pyarrow.array(numbers - start))
            kept.add(numbers, documents, stayed["id"], pyarrow.compute.utf8_slice_codeunits(stayed["text"], 0, 200))
    return {**counts, "dropped": dropped}


def check_result(recipe: Recipe, report: dict) -> None:
    """Raise UserError for a corpus that nothing can be trained or measured on; note what is merely thin."""
    train, validation = (report[split]["bytes"] for split in SPLITS)
    reasons = ", ".join(f"{why} {count}" for why, count in sorted(report["dropped"].items(), key=lambda item: -item[1]))
    require(train, f"{recipe.title}: the corpus is empty: none of {report['documents']} documents is left ({reasons}). "
                   "Loosen the limits of the recipe's sources.")
    require(validation or not recipe.validation_share, f"{recipe.title}: no document is left for validation: raise "
            'validation_share, or let the sources cut long texts (split = "paragraph").')
    if validation < 64 << 10 and validation < 0.05 * (train + validation):
        report["warnings"].append(f"Only {validation:,} bytes of validation text: bits per byte will be noisy.")
    report["warnings"] += [f"Source {name} contributes no training text."
                           for name, source in report["sources"].items() if not source["train"]["documents"]]


def note_drop(dropped: dict, reason: str, where: str, text: str) -> None:
    """Count a drop under its reason, and keep the first few as examples."""
    reason = " ".join(reason.split(" ")[:4]) if reason.startswith("evaluation text: ") else reason  # not the row's name
    entry = dropped.setdefault(reason, {"count": 0, "examples": []})
    entry["count"] += 1
    if len(entry["examples"]) < NUM_EXAMPLES:
        entry["examples"].append({"where": where, "text": text[:200]})


def merge(totals: dict, more: dict) -> None:
    """Add numbers to numbers and lists to lists, in the dicts within, too."""
    for key, value in more.items():
        if isinstance(value, dict):
            merge(totals.setdefault(key, {}), value)
        else:
            totals[key] = totals.get(key, type(value)()) + value


def add_up(recipe: Recipe, shards: list[Shard], tallies: list[dict], written: list[dict]) -> dict:
    """Sum the shards' tallies to one table a source and one total."""
    sources = {source.name: {} for source in recipe.source}
    for shard, tally, result in zip(shards, tallies, written):
        entry = sources[shard.source.name]
        merge(entry, tally)
        merge(entry, result)
        entry["pairs"] = sorted(entry["pairs"], reverse=True)[:NUM_PAIRS]
        for drops in entry["dropped"].values():
            drops["examples"] = drops["examples"][:NUM_EXAMPLES]
    report = {"title": recipe.title, "warnings": [], "dropped": {}}
    for entry in sources.values():
        entry["num_dropped"] = sum(drops["count"] for reason, drops in entry["dropped"].items()
                                   if not reason.startswith("line "))
        merge(report, {key: entry[key] for key in (*SIZES, "num_dropped", "personal_data", *SPLITS)})
        for reason, drops in entry["dropped"].items():
            merge(report["dropped"], {reason.partition(":")[0]: drops["count"]})
    return {**report, "sources": sources}


def write_report(folder: Path, recipe: Recipe, report: dict) -> None:
    """report.json for programs, report.md for people: what each source gave and what was dropped, with examples. And
    README.md, the dataset card by which `datasets.load_dataset(folder)` finds both splits."""
    if largest := report["clusters"]["largest"]:
        clusters = dataset.dataset(folder / "clusters").to_table(filter=dataset.field("cluster").isin(largest))
        report["clusters"]["largest"] = sorted(clusters.to_pylist(), key=lambda row: largest.index(row["cluster"]))
    write_json(folder / "report.json", report)
    write_page(folder / "report.md", "corpus_report", recipe=recipe, report=report)
    write_page(folder / "README.md", "corpus", recipe=recipe, report=report)
