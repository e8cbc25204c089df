"""The corpus stage on small real files: what stays, what is dropped and why."""

import json

import datasets
import pytest

from corpora.contamination import fingerprint
from corpora.errors import UserError
from corpora.tasks.rows import load_rows
from corpora.tasks.task import SPLITS, TASKS
from pipeline.stages import corpus
from tests.pipeline.stages.corpus.small_corpus import read_rows, run


def premise() -> str:
    """The evaluation text that the fixture `alike` holds."""
    return load_rows("sample", TASKS["nli"], "validation")[0]["premise"]


def read_report(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def replace_in_recipe(data, before, after):
    path = data.parent / "recipe.toml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_every_document_ends_in_exactly_one_place(data):
    folder, counts = run(data)
    train = read_rows(folder, "train")
    validation = read_rows(folder, "validation")
    rejects = read_rows(folder, "rejects")
    assert counts["documents"] == 233
    assert len(train) == counts["train"]["documents"]
    assert len(validation) == counts["validation"]["documents"]
    assert len({row["text"] for row in train + validation}) == len(train) + len(validation) == 230
    assert sorted((row["where"], row["reason"]) for row in rejects) == [
        ("a0.jsonl:61", "too short"),
        ("a0.jsonl:62", "unreadable: not JSON: Expecting value"),
        ("a0.jsonl:63", "too little Hangul"),
        ("b.txt:1", "duplicate"),
    ]
    for split in (train, validation):
        assert {row["source"] for row in split} == {"a", "b"}
    num_bytes = counts["train"]["bytes"] + counts["validation"]["bytes"]
    assert 0.05 < counts["validation"]["bytes"] / num_bytes < 0.15
    assert not list(folder.rglob("*.tmp"))


def test_the_report_counts_every_drop_with_an_example(data):
    folder, _ = run(data)
    report = read_report(folder)
    assert report["sources"]["a"]["repairs"]["space_marks"] == 1
    assert report["sources"]["a"]["repairs"]["private_use"] == 1
    assert report["sources"]["a"]["repairs"]["fillers"] == 1
    page = (folder / "report.md").read_text("utf-8")
    assert "Private-use characters replaced or dropped: 1." in page
    assert report["sources"]["a"]["dropped"]["too short"] == {
        "count": 1,
        "examples": [{"where": "a0.jsonl:61", "text": "짧다"}],
    }
    assert report["dropped"] == {
        "too short": 1,
        "unreadable": 1,
        "too little Hangul": 1,
        "duplicate": 1,
    }
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert "- **too short**: 1\n    - `a0.jsonl:61` 짧다" in page
    recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["source"][1]["name"] == "b"


def test_near_duplicates_are_on_record_with_the_one_that_stayed(alike):
    folder, _ = run(alike)
    rejects = read_rows(folder, "rejects")
    copies = [row for row in rejects if row["reason"] == "near duplicate" and "낱말" in row["text"]]
    assert len(copies) == 10
    clusters = {row["cluster"]: row for row in read_rows(folder, "clusters")}
    for copy in copies:
        kept = clusters[copy["cluster"]]
        assert kept["documents"] == 3
        assert kept["text"].split()[9] == copy["text"].split()[9]
        assert kept["id"] != copy["where"]
    counts = read_report(folder)["clusters"]
    assert counts["clusters"] == len(clusters)
    assert sum(counts["sizes"].values()) == len(clusters)
    assert sum(row["documents"] for row in clusters.values()) == counts["documents"]


def test_evaluation_text_and_personal_data_stay_out_and_are_on_record(alike):
    folder, _ = run(alike)
    texts = [row["text"] for split in SPLITS for row in read_rows(folder, split)]
    assert not any(premise() in text or "@naver" in text or "----" in text for text in texts)
    rejects = read_rows(folder, "rejects")
    reasons = [row["reason"] for row in rejects]
    assert reasons.count("line of symbols") == 15
    rows_of_nli = "evaluation text: nli validation sample-"
    assert sum(reason.startswith(rows_of_nli) for reason in reasons) == 15
    source = read_report(folder)["sources"]["a"]
    assert source["personal_data"] == {"email": 15}
    assert source["dropped"]["evaluation text: nli validation"]["count"] == 15
    _, _, before, after = source["pairs"][0]
    assert before != after
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert not any("@naver" in text for text in (page, *(row["text"] for row in rejects)))
    fingerprints = json.loads((folder / "decontaminated.json").read_text(encoding="utf-8"))
    assert set(fingerprint([premise()])) <= set(fingerprints["nli validation"])


def test_the_page_shows_steps_clusters_personal_data_and_pairs(alike):
    folder, _ = run(alike)
    page = (folder / "report.md").read_text(encoding="utf-8")
    for part in (
        "| clean |",
        "| reduce |",
        "| write |",
        "| documents in a cluster | clusters |",
        "email 15",
        "### Before and after",
    ):
        assert part in page


def test_datasets_opens_both_splits(data, tmp_path):
    folder, counts = run(data)
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {
        name: counts[name]["documents"] for name in ("train", "validation")
    }
    assert loaded["train"].column_names == ["text", "source", "id"]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "b.txt: empty file"),
        (b"\x80\xff\xfe" * 5, "can't be read"),
        (b"\n\n", "b.txt: no text in it"),
        (
            b"\x80\x81\xff\n" * 30 + "멀쩡한 줄\n".encode() * 300,
            "30 of 330 records can't be read",
        ),
    ],
)
def test_an_unreadable_source_stops_the_run_with_its_reason(data, content, message):
    (data / "b.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        run(data)


def test_a_corpus_that_ends_up_empty_says_why(data):
    replace_in_recipe(data, "min_chars = 5", "min_chars = 5000")
    replace_in_recipe(data, 'unit = "line"', "min_chars = 50000")
    wanted = r"the corpus is empty: none of 183 documents is left \(too short 183"
    with pytest.raises(UserError, match=wanted):
        run(data)


def test_a_corpus_without_validation_text_says_what_to_do(data):
    replace_in_recipe(data, "validation_share = 0.1", "validation_share = 0.00001")
    with pytest.raises(UserError, match="raise validation_share"):
        run(data)


def test_the_embedded_sample_becomes_a_corpus_with_both_splits(tmp_path):
    data = tmp_path / "unused"
    data.mkdir()
    folder, counts = run(data, recipe="sample")
    assert counts["documents"] == 11
    assert counts["train"]["bytes"] > 60_000
    assert counts["validation"]["bytes"] > 25_000
    assert {row["source"] for row in read_rows(folder, "validation")} == {"kolaw", "kobill"}
    texts = [row["text"] for row in read_rows(folder, "train")]
    assert not any("▁" in text or "\r" in text for text in texts)


def test_a_bad_file_among_good_ones_counts_by_the_whole_source(alike):
    (alike / "a2.jsonl").write_text("no json\n" * 20, encoding="utf-8")
    replace_in_recipe(alike, "max_bad_share = 0.05", "max_bad_share = 0.2")
    _, counts = run(alike)
    assert counts["dropped"]["unreadable"] == 21
    assert counts["train"]["documents"] > 100


def test_a_wrong_setting_is_told_by_the_first_shard_that_has_nothing_else(alike, monkeypatch):
    (alike / "a0.jsonl").write_text("no json\n" * 101, encoding="utf-8")
    monkeypatch.setattr(corpus, "decide", None)
    with pytest.raises(UserError, match="101 of 101 records can't be read"):
        run(alike)
    assert not list(alike.parent.rglob("a-00001.json"))


@pytest.fixture
def books(tmp_path):
    """Twenty texts of fifty lines, of which nine end in a damaged line; none may be lost."""
    folder = tmp_path / "data"
    folder.mkdir()
    for book in range(20):
        lines = [f"{book}번 책의 {number}번째 줄은 이렇게 쓰여 있다." for number in range(49)]
        end = "끝" if book < 11 else "끝에"
        raw = "\n".join([*lines, end]).encode() + (b"" if book < 11 else b"\xff")
        (folder / f"책{book:02}.txt").write_bytes(raw)
    recipe = """title = "Books"
description = "Made for a test."
validation_share = 0.1
[[source]]
name = "books"
kind = "files"
licence = "mine"
paths = ["*.txt"]
unit = "file"
"""
    (tmp_path / "recipe.toml").write_text(recipe, encoding="utf-8")
    return folder


def test_damaged_lines_of_whole_texts_are_named_and_the_texts_stay(books, capsys):
    folder, counts = run(books)
    assert counts["documents"] == 20
    told = (
        "9 records of source books couldn't be read (0.90%); the worst file is 책11.txt with 1. "
        "They are in rejects/ with their places."
    )
    assert f"corpus: {told}\n" in capsys.readouterr().out
    assert told in counts["warnings"]
    assert told in (folder / "report.md").read_text(encoding="utf-8")
    rejects = [row for row in read_rows(folder, "rejects") if "unreadable" in row["reason"]]
    assert [row["where"] for row in rejects] == [f"책{book}.txt:50" for book in range(11, 20)]
    size = (books / "책11.txt").stat().st_size
    place = f"byte {size - 1} of the file (0xff)"
    assert rejects[0]["reason"] == f"unreadable: {place} is neither UTF-8 nor CP949"


def test_no_damaged_line_is_tolerated_where_the_recipe_says_none(books):
    replace_in_recipe(books, 'unit = "file"', "max_bad_share = 0.0")
    with pytest.raises(UserError, match="9 of 1000 records can't be read"):
        run(books)


def test_nine_of_twenty_texts_of_one_line_stop_the_stage(books):
    for path in books.iterdir():
        path.write_bytes(path.read_bytes().rpartition(b"\n")[2])
    with pytest.raises(UserError, match=r"9 of 20 .*byte 6 of the file \(0xff\): neither"):
        run(books)
