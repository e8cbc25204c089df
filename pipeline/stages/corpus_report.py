"""What the corpus stage tells people: report.json, report.md and the dataset card. The counting is done while text is
read and written, in corpus.py; here it is added up; the words are in cards/."""
from pathlib import Path

from pyarrow import dataset

from corpora.recipe import Recipe, Shard
from pipeline.artifact import write_card, write_json

SPLITS = ("train", "validation")
SIZES = ("documents", "characters", "bytes")
COUNTS = (*SIZES, "changed", "repaired_lines", "space_marks", "unreadable", "kept")
NUM_EXAMPLES, NUM_PAIRS = 5, 10


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
    write_card(folder / "report.md", "corpus_report", recipe=recipe, report=report)
    write_card(folder / "README.md", "corpus", recipe=recipe, report=report)
