"""What the corpus stage tells people: report.json, report.md and the dataset card.

The counting is done while text is read and written, in corpus.py; here it is added up and worded.
"""
import json
from pathlib import Path

import pyarrow.dataset

from corpora.recipe import Recipe, Shard
from pipeline.artifact import write_card, write_json, write_text

SPLITS = ("train", "validation")
SIZES = ("documents", "characters", "bytes")
COUNTS = (*SIZES, "changed", "repaired_lines", "space_marks")
NUM_EXAMPLES, NUM_PAIRS = 5, 10


def note_drop(dropped: dict, reason: str, where: str, text: str) -> None:
    """Count a drop under its reason, and keep the first few as examples."""
    if reason.startswith("evaluation text: "):
        reason = " ".join(reason.split(" ")[:4])  # not the row's own name
    entry = dropped.setdefault(reason, {"count": 0, "examples": []})
    entry["count"] += 1
    if len(entry["examples"]) < NUM_EXAMPLES:
        entry["examples"].append({"where": where, "text": text[:200]})


def add_counts(totals: dict, more: dict) -> None:
    for key, number in more.items():
        totals[key] = totals.get(key, 0) + number


def add_up(recipe: Recipe, shards: list[Shard], tallies: list[dict], written: list[dict]) -> dict:
    """Sum the shards' tallies to one table a source and one total."""
    sources = {source.name: {**dict.fromkeys(COUNTS, 0), "dropped": {}, "personal_data": {}, "pairs": [],
                             **{split: dict.fromkeys(SIZES, 0) for split in SPLITS}} for source in recipe.source}
    report = {"title": recipe.title, "warnings": [], "dropped": {}, "personal_data": {}}
    for shard, tally, result in zip(shards, tallies, written):
        entry = sources[shard.source.name]
        add_counts(entry, {key: tally[key] for key in COUNTS})
        add_counts(entry["personal_data"], tally["personal_data"])
        add_counts(report["personal_data"], tally["personal_data"])
        entry["pairs"] = sorted([*entry["pairs"], *tally["pairs"]], reverse=True)[:NUM_PAIRS]
        for split in SPLITS:
            add_counts(entry[split], result[split])
        for reason, drops in [*tally["dropped"].items(), *result["dropped"].items()]:
            total = entry["dropped"].setdefault(reason, {"count": 0, "examples": []})
            total["count"] += drops["count"]
            total["examples"] = (total["examples"] + drops["examples"])[:NUM_EXAMPLES]
            add_counts(report["dropped"], {reason.partition(":")[0]: drops["count"]})
    for key in SIZES:
        report[key] = sum(entry[key] for entry in sources.values())
    for split in SPLITS:
        report[split] = {key: sum(entry[split][key] for entry in sources.values()) for key in SIZES}
    return {**report, "sources": sources}


def write_report(folder: Path, recipe: Recipe, report: dict) -> None:
    """report.json for programs, report.md for people: what each source gave and what was dropped, with examples."""
    report["clusters"]["largest"] = _describe_clusters(folder, report["clusters"]["largest"])
    write_json(folder / "report.json", report)
    lines = [f"# {recipe.title}", "", *[f"**Warning:** {warning}\n" for warning in report["warnings"]],
             *_table(report), "", *_steps(report), "", *_clusters(report["clusters"], recipe)]
    for name, entry in report["sources"].items():
        found = ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in sorted(entry["personal_data"].items()))
        lines += [f"## {name}", "", f"Documents changed by cleaning: {entry['changed']:,} of {entry['documents']:,}. Lines "
                  f"whose encoding was repaired: {entry['repaired_lines']:,}. Characters U+2581 replaced: "
                  f"{entry['space_marks']:,}. Personal data ({recipe.personal_data}): {found or 'none found'}.", "",
                  "### Dropped", ""]
        for reason, drops in sorted(entry["dropped"].items(), key=lambda item: (-item[1]["count"], item[0])):
            lines.append(f"- **{reason}**: {drops['count']:,}")
            lines += [f"    - `{example['where']}` {_one_line(example['text'])}" for example in drops["examples"]]
        lines += ["", "### Before and after, from where they begin to differ", ""]
        for _, where, before, after in entry["pairs"]:
            lines += [f"- `{where}`", f"    - {_one_line(before, 200)}", f"    - {_one_line(after, 200)}"]
        lines.append("")
    write_text(folder / "report.md", "\n".join(lines))


def _steps(report: dict) -> list[str]:
    """Rates count the raw text that went into the stage."""
    lines = ["| step | shards | seconds | core seconds | MB/s a core | largest process, MB |", "|---|---|---|---|---|---|"]
    for name, cost in report["steps"].items():
        rate = report["bytes"] / 1e6 / max(cost["core_seconds"], 1e-6)
        lines.append(f"| {name} | {cost['shards']} | {cost['seconds']:,.1f} | {cost['core_seconds']:,.1f} | {rate:,.1f} "
                     f"| {cost['peak_memory_mb']:,} |")
    return lines


def _describe_clusters(folder: Path, numbers: list[int]) -> list[dict]:
    """What stayed of the largest clusters, and a few of the documents that were dropped for it."""
    if not numbers:
        return []
    cluster = pyarrow.dataset.field("cluster")
    stayed = {row["cluster"]: row for row in pyarrow.dataset.dataset(folder / "clusters").to_table(
        filter=cluster.isin(numbers)).to_pylist()}
    examples: dict[int, list[str]] = {number: [] for number in numbers}
    for batch in pyarrow.dataset.dataset(folder / "rejects").to_batches(["cluster", "text"], filter=cluster.isin(numbers)):
        for row in batch.to_pylist():
            if len(examples[row["cluster"]]) < 3:
                examples[row["cluster"]].append(row["text"])
    return [{**stayed[number], "dropped": examples[number]} for number in numbers]


def _clusters(clusters: dict, recipe: Recipe) -> list[str]:
    lines = ["## Duplicates and near duplicates", "",
             f"{clusters['documents']:,} documents in {clusters['clusters']:,} clusters, of each of which one stays: of the "
             f"first source, then the longest. Equal letters and digits, or MinHash over {recipe.shingle_words} words, "
             f"{recipe.bands} bands of {recipe.band_rows}.", "",
             "| documents in a cluster | clusters |", "|---|---|",
             *(f"| {size} | {count:,} |" for size, count in clusters["sizes"].items()), "", "The largest:", ""]
    for entry in clusters["largest"]:
        lines += [f"- {entry['documents']:,} documents, of which stays `{entry['id']}` {_one_line(entry['text'])}",
                  *(f"    - {_one_line(text)}" for text in entry["dropped"])]
    return [*lines, ""]


def write_corpus_card(folder: Path, recipe: Recipe, report: dict) -> None:
    """README.md, the dataset card by which `datasets.load_dataset(folder)` finds both splits."""
    sets = ", ".join(f"{each.task} {each.split}" for each in recipe.evaluation)
    write_card(
        folder, "corpus", recipe=recipe, name=json.dumps(recipe.title, ensure_ascii=False), description=recipe.description.strip(),
        files="\n".join(f"  - split: {split}\n    path: {split}/*.parquet" for split in SPLITS if report[split]["documents"]),
        table="\n".join(_table(report)),
        sources="\n".join(f"| {source.name} | {_origin(source)} | {source.licence} |" for source in recipe.source),
        evaluation=f"Documents that hold text of these evaluation sets were removed: {sets}." if sets else
        "No evaluation set was looked for in the text.")


def _table(report: dict) -> list[str]:
    heads = ["source", *(f"{unit} {what}" for what in ("read", "dropped", "for training", "for validation")
                         for unit in ("documents", "M characters", "MB") if what != "dropped" or unit == "documents")]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, entry in [*report["sources"].items(), ("**all**", report)]:
        dropped = sum(drops if isinstance(drops, int) else drops["count"] for drops in entry["dropped"].values())
        read, train, validation = ([f"{part['documents']:,}", f"{part['characters'] / 1e6:.2f}", f"{part['bytes'] / 1e6:.2f}"]
                                   for part in (entry, entry["train"], entry["validation"]))
        lines.append(f"| {' | '.join([name, *read, f'{dropped:,}', *train, *validation])} |")
    return lines


def _origin(source) -> str:
    if source.kind == "hub":
        return f"{source.dataset} {source.config} @ {source.revision}"
    return ("KoNLPy: " if source.kind == "konlpy" else "") + ", ".join(f"`{path}`" for path in source.paths)


def _one_line(text: str, length: int = 100) -> str:
    return " ".join(text[:length].split()).replace("|", "\\|") + ("…" if len(text) > length else "")
