"""The corpus stage: raw text -> clean, deduplicated training and validation text.

First a map over shards (map.py), then a reduce over all documents' features (reduce.py), then a map
that writes (write.py). What is dropped is kept aside with the reason. How text is judged is told in
corpora/.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from corpora.contamination import DECONTAMINATED, load_index
from corpora.recipe import load_recipe
from corpora.sources.hub import open_hub
from corpora.sources.shards import make_shards
from pipeline.artifacts.files import write_json
from pipeline.artifacts.manifest import SCRATCH
from pipeline.executors import Context, map_shards
from pipeline.settings import CorpusSettings
from pipeline.stages.corpus.check import check_readable, check_result, find_warnings
from pipeline.stages.corpus.map import clean_shard
from pipeline.stages.corpus.reduce import decide
from pipeline.stages.corpus.report import add_up, write_report
from pipeline.stages.corpus.tally import Tally
from pipeline.stages.corpus.write import write_shard


def run(
    settings: CorpusSettings, inputs: dict[str, Path], folder: Path, context: Context
) -> dict[str, Any]:
    """Make the corpus that `settings.recipe` describes; return its counts.

    A rerun goes on after the last finished shard. Raises UserError for what can't be read, and for
    a corpus that nothing is left of.
    """
    recipe = load_recipe(settings.recipe)
    work = folder / SCRATCH
    index, fingerprints = load_index(recipe, context.data)
    shards = make_shards(recipe, context.data, lambda source: open_hub(source).num_shards)

    clean = partial(clean_shard, work=work, recipe=recipe, index=index)
    items = {shard.name: shard for shard in shards}
    found, clean_cost = map_shards(clean, items, work / "clean", context, "corpus: clean")
    tallies = TypeAdapter(list[Tally]).validate_python(found)
    for source in recipe.source:
        of_source = [tally for shard, tally in zip(shards, tallies) if shard.source == source]
        check_readable(source, of_source)

    bounds = np.cumsum([0, *(tally.kept for tally in tallies)]).tolist()
    reduce = partial(decide, recipe, shards, work)
    (clusters,), reduce_cost = map_shards(
        reduce, {"all": bounds}, work / "reduce", Context(), "corpus: reduce"
    )

    write = partial(write_shard, folder=folder)
    items = {shard.name: (shard, start) for shard, start in zip(shards, bounds)}
    # A merge finds only what the jobs did: they end before the reduce.
    context = context._replace(merge=False)
    found, write_cost = map_shards(write, items, work / "write", context, "corpus: write")
    written = TypeAdapter(list[Tally]).validate_python(found)

    reduce_cost = {**reduce_cost, "documents": bounds[-1]}
    steps = {"clean": clean_cost, "reduce": reduce_cost, "write": write_cost}
    report = add_up(recipe, shards, tallies, written, clusters, steps)
    check_result(recipe, report)
    report.warnings = find_warnings(report)
    for warning in report.warnings:
        print(f"corpus: {warning}")
    write_json(folder / DECONTAMINATED, fingerprints)
    write_report(folder, recipe, report)
    return report.counts()
