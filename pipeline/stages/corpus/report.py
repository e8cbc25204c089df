"""What came in, what went and why: the corpus stage's figures, and the pages that show them."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pyarrow import dataset

from corpora.recipe import RECIPE_FILE, Recipe
from corpora.sources.shards import Shard
from pipeline.artifacts.files import write_json
from pipeline.reports.render import write_page
from pipeline.stages.corpus.reduce import ClusterCounts
from pipeline.stages.corpus.tally import Size, Tally, add_counts


@dataclass(kw_only=True)
class CorpusReport:
    """What came of all sources."""

    title: str
    warnings: list[str] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)  # by the reason's first words
    documents: int = 0
    characters: int = 0
    bytes: int = 0
    num_dropped: int = 0
    personal_data: dict[str, int] = field(default_factory=dict)
    train: Size = field(default_factory=Size)
    validation: Size = field(default_factory=Size)
    sources: dict[str, Tally] = field(default_factory=dict)
    clusters: ClusterCounts
    steps: dict[str, dict[str, Any]]  # what each cost

    def add_source(self, name: str, source: Tally) -> None:
        """Add one source's figures to those of all."""
        self.sources[name] = source
        self.documents += source.documents
        self.characters += source.characters
        self.bytes += source.bytes
        self.num_dropped += source.num_dropped
        add_counts(self.personal_data, source.personal_data)
        self.train.add(source.train)
        self.validation.add(source.validation)
        for reason, drops in source.dropped.items():
            add_counts(self.dropped, {reason.partition(":")[0]: drops.count})

    def counts(self) -> dict[str, Any]:
        """What the manifest records of it."""
        return {
            "documents": self.documents,
            "bytes": self.bytes,
            "dropped": self.dropped,
            "train": asdict(self.train),
            "validation": asdict(self.validation),
            "warnings": self.warnings,
        }


def add_up(
    recipe: Recipe,
    shards: list[Shard],
    tallies: list[Tally],
    written: list[Tally],
    clusters: ClusterCounts,
    steps: dict[str, dict[str, Any]],
) -> CorpusReport:
    """Sum both maps' counts of the shards to one table a source, and one of all."""
    sources = {source.name: Tally() for source in recipe.source}
    for shard, *counted in zip(shards, tallies, written):
        for tally in counted:
            sources[shard.source.name].add_tally(tally)
    report = CorpusReport(title=recipe.title, clusters=clusters, steps=steps)
    for name, source in sources.items():
        report.add_source(name, source)
    return report


def write_report(folder: Path, recipe: Recipe, report: CorpusReport) -> None:
    """Write report.json for programs, report.md for people, recipe.json and README.md.

    README.md is the dataset card by which `datasets.load_dataset(folder)` finds both splits.
    """
    write_json(folder / RECIPE_FILE, recipe.model_dump(mode="json"))
    figures = asdict(report)
    figures["clusters"]["largest"] = read_clusters(folder, figures["clusters"]["largest"])
    write_json(folder / "report.json", figures)
    write_page(folder / "report.md", "corpus_report", recipe=recipe, report=figures)
    write_page(folder / "README.md", "corpus", recipe=recipe, report=figures)


def read_clusters(folder: Path, numbers: list[int]) -> list[dict[str, Any]]:
    """The rows of these clusters, in this order."""
    if not numbers:
        return []
    clusters = dataset.dataset(folder / "clusters")
    rows = clusters.to_table(filter=dataset.field("cluster").isin(numbers)).to_pylist()
    return sorted(rows, key=lambda row: numbers.index(row["cluster"]))
