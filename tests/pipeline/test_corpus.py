"""The corpus stage on small real files: what stays, what is dropped and why, and the same bytes every time."""
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import datasets
import pyarrow.parquet
import pytest

from corpora import UserError
from corpora.contamination import fingerprint
from corpora.klue import TASKS, load_rows
from corpora.recipe import load_recipe
from corpora.sources import read_file
from pipeline.engine import Context, Engine, Unfinished
from pipeline.stages import corpus
from tests import plain_search
from tests.conftest import PROJECT

RECIPE = '''title = "Two sources"
description = "Made for a test."
validation_share = 0.1
bands = 0
[[source]]
name = "a"
kind = "files"
licence = "mine"
paths = ["a*.jsonl"]
clean = ["whitespace"]
min_chars = 5
[[source]]
name = "b"
kind = "files"
licence = "mine"
paths = ["b.txt"]
unit = "line"
'''


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for part in range(3):
        rows = [{"text": f"{part}번 파일의 {number}번째 문장은 이렇게 쓰여 있다."} for number in range(60)]
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / f"a{part}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open(folder / "a0.jsonl", "a", encoding="utf-8") as file:
        file.write('{"text": "짧다"}\nnot json\n{"text": "▁ English only, as a whole"}\n')
    lines = ["0번 파일의 7번째 문장은 이렇게 쓰여 있다.", *[f"다른 출처의 {n}번째 줄" for n in range(50)]]
    (folder / "b.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return folder


def run(data, name="out", recipe=None, **engine):
    folder = data.parent / name
    folder.mkdir(exist_ok=True)
    settings = SimpleNamespace(recipe=recipe or str(data.parent / "recipe.toml"))
    return folder, corpus.run(settings, {}, folder, Context("cpu", Engine(**engine), data))


def digests(folder):
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "scratch" not in path.parts and not path.name.startswith("report.")}


def rows(folder, split):
    return [row for path in sorted((folder / split).glob("*.parquet"))
            for row in pyarrow.parquet.read_table(path).to_pylist()]


def test_every_document_ends_in_exactly_one_place(data):
    folder, counts = run(data)
    train, validation, rejects = (rows(folder, split) for split in ("train", "validation", "rejects"))
    assert counts["documents"] == 233
    assert (len(train), len(validation)) == (counts["train"]["documents"], counts["validation"]["documents"])
    assert len(train) + len(validation) == 230
    assert len({row["text"] for row in train + validation}) == 230
    assert sorted((row["where"], row["reason"]) for row in rejects) == [
        ("a0.jsonl:61", "too short"), ("a0.jsonl:62", "unreadable: not JSON: Expecting value"),
        ("a0.jsonl:63", "too little Hangul"), ("b.txt:1", "duplicate")]
    for split in (train, validation):
        assert {row["source"] for row in split} == {"a", "b"}
    assert 0.05 < counts["validation"]["bytes"] / (counts["train"]["bytes"] + counts["validation"]["bytes"]) < 0.15
    assert not list(folder.rglob("*.tmp"))


def test_the_report_counts_every_drop_with_an_example(data):
    folder, _ = run(data)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["sources"]["a"]["space_marks"] == 1
    assert report["sources"]["a"]["dropped"]["too short"] == {"count": 1, "examples": [
        {"where": "a0.jsonl:61", "text": "짧다"}]}
    assert report["dropped"] == {"too short": 1, "unreadable": 1, "too little Hangul": 1, "duplicate": 1}
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "- **too short**: 1\n    - `a0.jsonl:61` 짧다" in text
    assert json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["source"][1]["name"] == "b"


def test_the_bytes_depend_neither_on_the_workers_nor_on_where_the_data_lies(data):
    one, _ = run(data, "one")
    two, _ = run(data, "two", workers=2)
    assert digests(one) == digests(two)
    moved = data.rename(data.parent / "moved")
    assert digests(run(moved, "three")[0]) == digests(one)


ENGINES = {"pool": [{"workers": 2}], "array": [{"shard": (2, 3)}, {"shard": (1, 3)}, {"shard": (3, 3)}, {"merge": True}]}


@pytest.fixture
def alike(data, monkeypatch):
    """The same data with near duplicates, evaluation text, personal data and lines to take out; a shard for each file."""
    monkeypatch.setattr("corpora.recipe.SHARD_BYTES", 1)
    path = data.parent / "recipe.toml"
    path.write_text(RECIPE.replace("bands = 0", '''personal_data = "pseudonym"
[[evaluation]]
task = "nli"
split = "validation"
data = "sample"''').replace('clean = ["whitespace"]', 'clean = ["whitespace"]\nline_max_symbols = 0.5'), encoding="utf-8")
    premise = load_rows("sample", TASKS["nli"], "validation")[0]["premise"]
    words = [f"낱말{number}은" for number in range(400)]
    for part in range(3):
        with open(data / f"a{part}.jsonl", "a", encoding="utf-8") as file:
            for topic in range(5):
                text = [f"{topic}번" + word for word in words[:120]]
                text[part * 30] = f"바뀐{part}"
                for row in (" ".join(text), f"앞말 {part}. {premise} 뒷말", f"{part}{topic}번 문의는 아래에 적힌 주소로 보내 주시기 바랍니다. a{topic}@naver.com으로\n----"):
                    file.write(json.dumps({"text": row}, ensure_ascii=False) + "\n")
    return data


def test_every_engine_gives_the_same_bytes(alike):
    one, _ = run(alike, "one")
    for name, steps in ENGINES.items():
        for engine in steps[:-1]:
            with pytest.raises(Unfinished, match="run the same command with MERGE=1"):
                run(alike, name, **engine)
        assert digests(run(alike, name, **steps[-1])[0]) == digests(one)


@pytest.mark.extras
def test_a_ray_cluster_gives_the_same_bytes(alike, ray_cluster):
    assert digests(run(alike, "ray", ray=True)[0]) == digests(run(alike, "one")[0])


def test_any_number_of_files_gives_the_same_documents(alike):
    """The same rows in one file, in four and in seven, dealt out in turn and in runs."""
    lines = [line for path in sorted(alike.glob("a*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    found = []
    for number in (1, 4, 7):
        for dealt in (True, False):
            for path in alike.glob("a*.jsonl"):
                path.unlink()
            size = -(-len(lines) // number)
            for part in range(number):
                rows_here = lines[part::number] if dealt else lines[part * size:(part + 1) * size]
                (alike / f"a{part}.jsonl").write_text("\n".join(rows_here) + "\n", encoding="utf-8")
            folder, _ = run(alike, f"files-{number}-{dealt}")
            found.append([sorted((row["source"], row["text"]) for row in rows(folder, split)) for split in corpus.SPLITS])
    assert all(each == found[0] for each in found)
    assert sum(text.count("낱말119은") for source, text in found[0][0] + found[0][1]) == 5


def test_near_duplicates_evaluation_text_and_personal_data_are_on_record(alike):
    folder, _ = run(alike)
    texts = [row["text"] for split in corpus.SPLITS for row in rows(folder, split)]
    premise = load_rows("sample", TASKS["nli"], "validation")[0]["premise"]
    assert not any(premise in text or "@naver" in text or "----" in text for text in texts)
    dropped = rows(folder, "rejects")
    reasons = [row["reason"] for row in dropped]
    assert reasons.count("line of symbols") == 15
    alike_rows = [row for row in dropped if row["reason"] == "near duplicate" and "낱말" in row["text"]]
    assert len(alike_rows) == 10
    assert sum(reason.startswith("evaluation text: nli validation sample-") for reason in reasons) == 15
    clusters = {row["cluster"]: row for row in rows(folder, "clusters")}
    for row in alike_rows:
        kept = clusters[row["cluster"]]
        assert kept["documents"] == 3 and kept["text"].split()[9] == row["text"].split()[9] and kept["id"] != row["where"]
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert sum(report["clusters"]["sizes"].values()) == report["clusters"]["clusters"] == len(clusters)
    assert sum(row["documents"] for row in clusters.values()) == report["clusters"]["documents"]
    assert report["sources"]["a"]["personal_data"] == {"email": 15}
    assert report["sources"]["a"]["dropped"]["evaluation text: nli validation"]["count"] == 15
    assert report["sources"]["a"]["pairs"][0][2] != report["sources"]["a"]["pairs"][0][3]
    page = (folder / "report.md").read_text(encoding="utf-8")
    for part in ("| clean |", "| reduce |", "| write |", "| documents in a cluster | clusters |", "email 15", "### Before and after"):
        assert part in page
    fingerprints = json.loads((folder / "decontaminated.json").read_text(encoding="utf-8"))
    assert set(fingerprint([premise])) <= set(fingerprints["nli validation"])


@pytest.mark.parametrize("step", ["clean_shard", "write_shard"])
def test_a_worker_killed_in_mid_shard_fails_loudly_and_the_rerun_does_what_is_missing(alike, step):
    """Real processes: the worker that ends the third shard's file kills itself before the file has its name."""
    expected, _ = run(alike, "expected")
    victim = alike.parent / "killed"
    victim.mkdir()
    code = KILLER.format(step=step, folder=str(victim), data=str(alike), recipe=str(alike.parent / "recipe.toml"))
    (alike.parent / "killer.py").write_text(code)
    done = subprocess.run([sys.executable, "killer.py"], cwd=alike.parent, capture_output=True, text=True, timeout=120,
                          env=os.environ | {"PYTHONPATH": str(PROJECT)})
    assert done.returncode == 1 and "a worker process died" in done.stderr, done.stderr
    for path in victim.rglob("*.parquet"):
        pyarrow.parquet.read_table(path)  # what has its final name is whole
    names = {"clean_shard": "clean", "write_shard": "write"}
    finished = {path: path.stat().st_mtime_ns for path in (victim / "scratch" / names[step]).glob("*.json")}
    assert 0 < len(finished) < 4
    resumed, _ = run(alike, "killed")
    assert digests(resumed) == digests(expected)
    assert all(path.stat().st_mtime_ns == time for path, time in finished.items())


KILLER = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
import corpora.recipe
from corpora import UserError
from pipeline.engine import Context, Engine
from pipeline.stages import corpus
corpora.recipe.SHARD_BYTES = 1
real = corpus.ParquetFile
class Deadly(real):
    def __exit__(self, *error):
        if self.path.name == "a-00002.parquet" and ("{step}" == "clean_shard") == (self.path.parent.name == "scratch"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__exit__(*error)
corpus.ParquetFile = Deadly
if __name__ == "__main__":
    try:
        corpus.run(SimpleNamespace(recipe="{recipe}"), {{}}, Path("{folder}"), Context("cpu", Engine(2), Path("{data}")))
    except UserError as error:
        sys.exit(str(error))
"""


def test_datasets_opens_both_splits(data, tmp_path, monkeypatch):
    folder, counts = run(data)
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {
        name: counts[name]["documents"] for name in ("train", "validation")}
    assert loaded["train"].column_names == ["text", "source", "id"]


def test_a_rerun_reuses_finished_shards_and_gives_the_same_bytes(data, monkeypatch):
    expected, _ = run(data, "expected")

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(corpus, "decide", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(data, "resumed")
    work = data.parent / "resumed" / "scratch"
    (work / "clean" / "a-00000.json").unlink()
    (work / "a-00000.parquet").write_bytes(b"half a file")
    assert (work / "clean" / "b-00001.json").exists()
    (data / "b.txt").unlink()
    (data / "b.txt").write_text("다시 읽으면 한 줄뿐이다", encoding="utf-8")  # proof: the finished shard isn't read again
    resumed, _ = run(data, "resumed")
    assert digests(resumed) == digests(expected)


@pytest.mark.parametrize("content, message", [
    (b"", "b.txt: unreadable: empty file"), (b"\x80\xff\xfe" * 5, "can't be read"), (b"\n\n", "0 of 0 records"),
    (b"\x80\x81\xff\n" * 30 + "멀쩡한 줄\n".encode() * 300, "30 of 330 records can't be read")])
def test_an_unreadable_source_stops_the_run_with_its_reason(data, content, message):
    (data / "b.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        run(data)


def test_a_corpus_that_ends_up_empty_says_why(data):
    path = data.parent / "recipe.toml"
    path.write_text(RECIPE.replace("min_chars = 5", "min_chars = 5000").replace('unit = "line"', "min_chars = 50000"),
                    encoding="utf-8")
    with pytest.raises(UserError, match=r"the corpus is empty: none of 183 documents is left \(too short 183"):
        run(data)


def test_a_corpus_without_validation_text_says_what_to_do(data):
    path = data.parent / "recipe.toml"
    path.write_text(RECIPE.replace("validation_share = 0.1", "validation_share = 0.00001"), encoding="utf-8")
    with pytest.raises(UserError, match="raise validation_share"):
        run(data)


def test_a_huge_line_keeps_the_others(data):
    with open(data / "a1.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"text": "가나다라마바사아자차 " * 860000}, ensure_ascii=False) + "\n")
    folder, counts = run(data)
    assert ("a1.jsonl:61", "repetitive") in {(row["where"], row["reason"]) for row in rows(folder, "rejects")}
    assert counts["train"]["documents"] + counts["validation"]["documents"] == 230


def test_the_embedded_sample_becomes_a_corpus_with_both_splits(tmp_path):
    data = tmp_path / "unused"
    data.mkdir()
    folder, counts = run(data, recipe="sample")
    assert counts["documents"] == 11
    assert counts["train"]["bytes"] > 60_000 and counts["validation"]["bytes"] > 25_000
    assert {row["source"] for row in rows(folder, "validation")} == {"kolaw", "kobill"}
    assert not any("▁" in row["text"] or "\r" in row["text"] for row in rows(folder, "train"))


def run_on_real(name, real_data, folder, **changes):
    """One source of the local recipe, and what the corpus stage makes of it."""
    recipe = load_recipe("local")
    source, = (replace(source, **changes) for source in recipe.source if source.name == name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "load_recipe", lambda name: replace(recipe, source=(source,)))
        return source, corpus.run(SimpleNamespace(recipe="local"), {}, folder, Context("cpu", Engine(), real_data))


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
