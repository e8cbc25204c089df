"""The corpus stage on huge documents and on real text."""
import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from corpora.recipe import load_recipe
from corpora.sources.read import read_file
from pipeline.executors import Context
from pipeline.stages import corpus
from tests import plain_search
from tests.conftest import PROJECT
from tests.pipeline.small_corpus import rows, run


def test_a_huge_line_keeps_the_others(data):
    with open(data / "a1.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"text": "가나다라마바사아자차 " * 860000}, ensure_ascii=False) + "\n")
    folder, counts = run(data)
    assert ("a1.jsonl:61", "too long") in {(row["where"], row["reason"]) for row in rows(folder, "rejects")}
    assert counts["train"]["documents"] + counts["validation"]["documents"] == 230


MEASURE = """
import sys
from pathlib import Path
from corpora.contamination import Index
from corpora.recipe import load_recipe
from corpora.sources.shards import Shard
from pipeline.artifacts.manifest import peak_memory_mb
from pipeline.stages.corpus import clean_shard
source, = (source for source in load_recipe("local").source if source.name == "kowiki")
shard = Shard(0, source, ((Path(sys.argv[1]), "huge"),))
before = peak_memory_mb()
tally = clean_shard(shard, Path(sys.argv[2]), load_recipe("local"), Index([], [], 13, 0.5))
print(tally["dropped"]["too long"]["count"], peak_memory_mb() - before)
"""


def test_a_document_of_30_megabytes_is_dropped_in_little_memory(tmp_path):
    words = "제목\n" + " ".join(f"낱말{number % 9973}은" for number in range(2_150_000))
    path = tmp_path / "huge.jsonl"
    path.write_text(json.dumps({"text": words, "title": ""}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert 29e6 < path.stat().st_size < 32e6
    done = subprocess.run([sys.executable, "-c", MEASURE, path, tmp_path], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
    count, megabytes = map(int, done.stdout.split())
    assert count == 1 and megabytes < 400


def run_on_real(name, real_data, folder, **changes):
    """One source of the local recipe, and what the corpus stage makes of it."""
    recipe = load_recipe("local")
    source, = (replace(source, **changes) for source in recipe.source if source.name == name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "load_recipe", lambda name: replace(recipe, source=(source,)))
        return source, corpus.run(SimpleNamespace(recipe="local"), {}, folder, Context(data=real_data))


def test_real_wikipedia_loses_few_articles(real_data, tmp_path):
    _, counts = run_on_real("kowiki", real_data, tmp_path, paths=("corpus/kowiki-08.jsonl.zst",))
    assert sum(counts["dropped"].values()) < 0.03 * counts["documents"]


def test_real_prose_keeps_no_evaluation_text(real_data, tmp_path):
    """A plain search over the result, and over the raw text to see that it finds what there is."""
    source, counts = run_on_real("prose", real_data, tmp_path)
    texts = plain_search.evaluation_texts(str(real_data / "klue"))
    raw = [record.text for record in read_file(source, real_data / "corpus/misc-00.jsonl.zst", "raw")]
    there = {document for document, _ in plain_search.search(texts, raw)}
    assert counts["dropped"]["evaluation text"] >= 0.9 * len(there) > 3
    assert plain_search.search(texts, plain_search.documents_of(tmp_path)) == []
