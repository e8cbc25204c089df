"""The corpus stage on huge documents and on real text."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from corpora.recipe import Source, load_recipe
from corpora.sources.read import read_file
from pipeline.executors import Context
from pipeline.settings import CorpusSettings
from pipeline.stages import corpus
from tests import plain_search
from tests.conftest import make_environment
from tests.pipeline.stages.corpus.small_corpus import read_rows, run

MEASURE = """
import sys
from pathlib import Path
from corpora.contamination import Index
from corpora.recipe import load_recipe
from corpora.sources.shards import Shard
from pipeline.artifacts.manifest import peak_memory_mb
from pipeline.stages.corpus.map import clean_shard

recipe = load_recipe("local")
source, = (source for source in recipe.source if source.name == "kowiki")
shard = Shard(0, source, ((Path(sys.argv[1]), "huge"),))
before = peak_memory_mb()
tally = clean_shard(shard, Path(sys.argv[2]), recipe, Index([], [], 13, 0.5))
print(tally["dropped"]["too long"]["count"], peak_memory_mb() - before)
"""


def test_a_huge_line_keeps_the_others(data):
    text = "가나다라마바사아자차 " * 860_000
    with open(data / "a1.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    folder, counts = run(data)
    rejects = {(row["where"], row["reason"]) for row in read_rows(folder, "rejects")}
    assert ("a1.jsonl:61", "too long") in rejects
    assert counts["train"]["documents"] + counts["validation"]["documents"] == 230


def test_a_document_of_30_megabytes_is_dropped_in_little_memory(tmp_path):
    words = "제목\n" + " ".join(f"낱말{number % 9973}은" for number in range(2_150_000))
    path = tmp_path / "huge.jsonl"
    row = {"text": words, "title": ""}
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    assert 29e6 < path.stat().st_size < 32e6
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, path, tmp_path],
        env=make_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    count, megabytes = map(int, done.stdout.split())
    assert count == 1
    assert megabytes < 400


def run_on_real(
    name: str, real_data: Path, folder: Path, **changes: Any
) -> tuple[Source, dict[str, Any]]:
    """One source of the local recipe, and what the corpus stage makes of it."""
    recipe = load_recipe("local")
    (source,) = (source for source in recipe.source if source.name == name)
    source = source.model_copy(update=changes)
    one_source = recipe.model_copy(update={"source": (source,)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "load_recipe", lambda name: one_source)
        settings = CorpusSettings(recipe="local")
        return source, corpus.run(settings, {}, folder, Context(data=real_data))


def test_real_wikipedia_loses_few_articles(real_data, tmp_path):
    paths = ("corpus/kowiki-08.jsonl.zst",)
    _, counts = run_on_real("kowiki", real_data, tmp_path, paths=paths)
    assert sum(counts["dropped"].values()) < 0.03 * counts["documents"]


def test_real_prose_keeps_no_evaluation_text(real_data, tmp_path):
    """A plain search over the result, and over the raw text to see that it finds what there is."""
    source, counts = run_on_real("prose", real_data, tmp_path)
    texts = plain_search.evaluation_texts(str(real_data / "klue"))
    records = read_file(source, real_data / "corpus/misc-00.jsonl.zst", "raw")
    raw = [record.text for record in records]
    there = {document for document, _ in plain_search.search(texts, raw)}
    assert len(there) > 3
    assert counts["dropped"]["evaluation text"] >= 0.9 * len(there)
    assert plain_search.search(texts, plain_search.documents_of(tmp_path)) == []
