"""The corpus stage on small real files: what stays, what is dropped and why, and the same bytes every time."""
import hashlib
import json
from dataclasses import replace
from types import SimpleNamespace

import datasets
import pyarrow.parquet
import pytest

from corpora import UserError
from corpora.recipe import load_recipe, make_shards
from pipeline.stages import corpus

RECIPE = '''title = "Two sources"
description = "Made for a test."
validation_share = 0.1
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


def run(data, name="out", workers=1, recipe=None):
    folder = data.parent / name
    folder.mkdir(exist_ok=True)
    settings = SimpleNamespace(recipe=recipe or str(data.parent / "recipe.toml"))
    context = SimpleNamespace(data=data, workers=workers, device="cpu")
    return folder, corpus.run(settings, {}, folder, context)


def digests(folder):
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file() and not {"logs", "scratch"} & set(path.parts)}


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
    assert not (folder / "scratch/kowiki-00000.parquet.tmp").exists()


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
    (work / "a-00000.json").unlink()
    (work / "a-00000.parquet").write_bytes(b"half a file")
    assert (work / "b-00001.json").exists()
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


def test_real_wikipedia_loses_few_articles(real_data, tmp_path):
    recipe = load_recipe("local")
    kowiki = replace(recipe.source[0], paths=("corpus/kowiki-08.jsonl.zst",))
    shard, = make_shards(replace(recipe, source=(kowiki,)), real_data, hub_parts=None)
    tally = corpus.clean_shard(shard, tmp_path)
    assert tally["documents"] > 1000
    assert sum(drops["count"] for drops in tally["dropped"].values()) < 0.02 * tally["documents"]
