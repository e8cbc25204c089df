"""What the corpus stage tells people: report.json, report.md and the dataset card.

The counting is done while text is read and written, in corpus.py; here it is added up and worded.
"""
from pathlib import Path

from corpora.recipe import Recipe, Shard
from pipeline.artifact import write_json, write_text

SPLITS = ("train", "validation")
SIZES = ("documents", "characters", "bytes")
COUNTS = (*SIZES, "repaired_lines", "space_marks")


def add_up(recipe: Recipe, shards: list[Shard], tallies: list[dict], written: list[dict]) -> dict:
    """Sum the shards' tallies to one table a source and one total."""
    sources = {source.name: {**dict.fromkeys(COUNTS, 0), "dropped": {},
                             **{split: dict.fromkeys(SIZES, 0) for split in SPLITS}} for source in recipe.source}
    for shard, tally, result in zip(shards, tallies, written):
        entry = sources[shard.source.name]
        for key in COUNTS:
            entry[key] += tally[key]
        for split in SPLITS:
            for key in SIZES:
                entry[split][key] += result[split][key]
        for reason, drops in [*tally["dropped"].items(), *result["dropped"].items()]:
            total = entry["dropped"].setdefault(reason, {"count": 0, "examples": []})
            total["count"] += drops["count"]
            total["examples"] = (total["examples"] + drops["examples"])[:5]
    report = {"title": recipe.title, "warnings": [], "dropped": {}}
    for key in SIZES:
        report[key] = sum(entry[key] for entry in sources.values())
    for split in SPLITS:
        report[split] = {key: sum(entry[split][key] for entry in sources.values()) for key in SIZES}
    for entry in sources.values():
        for reason, drops in entry["dropped"].items():
            kind = reason.partition(":")[0]
            report["dropped"][kind] = report["dropped"].get(kind, 0) + drops["count"]
    return {**report, "sources": sources}


def write_report(folder: Path, recipe: Recipe, report: dict) -> None:
    """report.json for programs, report.md for people: what each source gave and what was dropped, with examples."""
    write_json(folder / "report.json", report)
    lines = [f"# {recipe.title}", "", *[f"**Warning:** {warning}\n" for warning in report["warnings"]],
             *_table(report), ""]
    for name, entry in report["sources"].items():
        lines += [f"## {name}", "", f"Lines whose encoding was repaired: {entry['repaired_lines']:,}. "
                  f"Characters U+2581 replaced: {entry['space_marks']:,}.", ""]
        for reason, drops in sorted(entry["dropped"].items(), key=lambda item: (-item[1]["count"], item[0])):
            lines.append(f"- **{reason}**: {drops['count']:,}")
            lines += [f"    - `{example['where']}` {_one_line(example['text'])}" for example in drops["examples"]]
        lines.append("")
    write_text(folder / "report.md", "\n".join(lines))


def write_card(folder: Path, recipe: Recipe, report: dict) -> None:
    """README.md, the dataset card by which `datasets.load_dataset(folder)` finds both splits."""
    files = [f"  - split: {split}\n    path: {split}/*.parquet" for split in SPLITS if report[split]["documents"]]
    sources = [f"| {source.name} | {_origin(source)} | {source.licence} |" for source in recipe.source]
    write_text(folder / "README.md", "\n".join([
        "---", "language: ko", "license: other", f"pretty_name: {_quoted(recipe.title)}",
        "configs:", "- config_name: default", "  data_files:", *files, "---", "",
        f"# {recipe.title}", "", recipe.description.strip(), "",
        *_table(report), "",
        "| source | from | licence |", "|---|---|---|", *sources, "",
        "Columns: `text`, `source`, `id` (the place in the source). Text is NFC; of equal documents the first stayed. "
        "The validation split holds each source's documents with the lowest hashes. `rejects/` holds the beginning "
        "of what was dropped, with its place and the reason; `report.md` counts it; `recipe.json` says how "
        "everything was made. Documents may hold personal data or offensive language, as their sources do.", ""]))


def _table(report: dict) -> list[str]:
    rows = [(name, entry) for name, entry in report["sources"].items()] + [("**all**", report)]
    lines = ["| source | documents read | MB read | dropped | train documents | train MB | validation documents "
             "| validation MB |", "|---|---|---|---|---|---|---|---|"]
    for name, entry in rows:
        dropped = sum(drops if isinstance(drops, int) else drops["count"] for drops in entry["dropped"].values())
        train, validation = entry["train"], entry["validation"]
        lines.append(f"| {name} | {entry['documents']:,} | {entry['bytes'] / 1e6:.2f} | {dropped:,} "
                     f"| {train['documents']:,} | {train['bytes'] / 1e6:.2f} "
                     f"| {validation['documents']:,} | {validation['bytes'] / 1e6:.2f} |")
    return lines


def _origin(source) -> str:
    if source.kind == "hub":
        return f"{source.dataset} {source.config} @ {source.revision}"
    return ("KoNLPy: " if source.kind == "konlpy" else "") + ", ".join(f"`{path}`" for path in source.paths)


def _one_line(text: str) -> str:
    return " ".join(text[:100].split()).replace("|", "\\|") + ("…" if len(text) > 100 else "")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
