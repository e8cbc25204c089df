"""`make recipe` writes a recipe that reads every text of a folder, and names what it left out."""

import os
import sys

import pytest

from corpora.errors import UserError
from corpora.recipe import load_recipe
from tests.conftest import call_pipeline
from tests.corpora.survey.folders import FOLDERS, json_lines, write
from tests.pipeline.stages.corpus.small_corpus import read_rows, run

NUM_DOCUMENTS = {
    "texts": 1 + 200 + 7 + 1,
    "tables": 4 * 60,
    "json": 8 * 4 + 8 + 30 + 30 + 30 + 2,
    "archives": 5 * 6 + 5 + 2 * 30,
}


@pytest.mark.parametrize("name", FOLDERS)
def test_the_recipe_of_a_folder_makes_a_corpus_of_all_its_texts(tmp_path, name):
    data = tmp_path / "내 자료"
    FOLDERS[name](data)
    printed = call_pipeline(
        "recipe", "--data", data, "--out", tmp_path / "my.toml", folder=tmp_path
    )
    for source in load_recipe(str(tmp_path / "my.toml")).source:
        assert f"\n{source.name}: " in printed
        assert source.licence == "unknown: fill in"
    command = f"make corpus PRESET=laptop RECIPE={tmp_path}/my.toml DATA='{data}'"
    assert command in printed
    folder, counts = run(data, recipe=str(tmp_path / "my.toml"))
    assert counts["documents"] == NUM_DOCUMENTS[name]
    reasons = [row["reason"] for row in read_rows(folder, "rejects")]
    assert not [reason for reason in reasons if reason.startswith("unreadable")]


def test_what_is_not_read_is_printed_and_written_with_its_reason(tmp_path):
    data = tmp_path / "data"
    FOLDERS["texts"](data)
    printed = call_pipeline("recipe", "--data", data, folder=tmp_path)
    written = (tmp_path / "my.toml").read_text(encoding="utf-8")
    assert "not read: report.hwp: an HWP document" in printed
    assert "# - report.hwp: an HWP document" in written
    assert "# - blank.txt: no text in it" in written
    assert "# files: 7; bytes: " in written
    assert "encoding: UTF-8, CP949" in written
    assert not list(tmp_path.glob("*.tmp.*"))
    assert max(map(len, written.splitlines())) <= 100


def test_a_file_that_only_its_reader_refuses_is_left_out_of_the_source(tmp_path):
    data = tmp_path / "data"
    good = json_lines(*[{"text": "멀쩡한 글이다."}] * 3)
    write(data, "a.jsonl", good)
    write(data, "b.jsonl", good)
    write(data, "c.jsonl", b'[{"text": "' + "글".encode() + b'"} {"text": "2"}]')
    write(data, "d.jsonl", json_lines(*[{"text": 1}] * 3))
    printed = call_pipeline("recipe", "--data", data, folder=tmp_path)
    assert "not read: c.jsonl" in printed
    assert "not read: d.jsonl: " in printed
    paths = [
        path for source in load_recipe(str(tmp_path / "my.toml")).source for path in source.paths
    ]
    assert paths == ["a.jsonl", "b.jsonl"]


def test_of_a_single_long_text_a_part_becomes_validation_text(tmp_path):
    data = tmp_path / "data"
    words = [f"낱말{number}은" for number in range(3000)]
    paragraphs = [" ".join(words[start : start + 50]) for start in range(0, 3000, 50)]
    write(data, "novel.md", "\n\n".join(paragraphs).encode())
    call_pipeline("recipe", "--data", data, folder=tmp_path)
    _, counts = run(data, recipe=str(tmp_path / "my.toml"))
    assert counts["validation"]["documents"] > 0


def test_of_a_file_without_text_it_is_said_as_what_it_was_read(tmp_path):
    data = tmp_path / "data"
    write(data, "a.txt", "글이 한 줄 있다.\n".encode() * 30)
    write(data, "b.json", b'// a comment\n[{"text": "x"}]')
    printed = call_pipeline("recipe", "--data", data, folder=tmp_path)
    assert "not read: b.json: read as json, no column or key of it holds text" in printed


@pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes on Linux alone")
def test_files_and_folders_named_in_cp949_are_sources_and_can_be_printed(tmp_path):
    folder = os.fsdecode("원천".encode("cp949"))
    for name in ("가.jsonl", "나.jsonl", "다.bin"):
        data = (
            json_lines({"text": f"{name} 안에 있는 글이다."})
            if name != "다.bin"
            else b"\x1f\x8b\x08"
        )
        write(tmp_path / "data", f"{folder}/{os.fsdecode(name.encode('cp949'))}", data)
    printed = call_pipeline("recipe", "--data", tmp_path / "data", folder=tmp_path)
    assert "not read: 원천/다.bin: a gzip file" in printed
    [source] = load_recipe(str(tmp_path / "my.toml")).source
    assert source.paths == ("원천/*.jsonl",)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "say which folder of text to look at with DATA=folder"),
        (["--data", "missing"], "DATA=missing: no such folder"),
        (["--data", "empty"], "no text that can be read in it"),
        (["--data", "empty", "--out", "there.toml"], "there.toml: exists already"),
        (["--data", "empty", "--out", "folder"], "a recipe's name ends in .toml"),
    ],
)
def test_a_folder_without_text_and_a_wrong_name_are_told(tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "there.toml").touch()
    with pytest.raises(UserError, match=message):
        call_pipeline("recipe", *arguments, folder=tmp_path)
    assert (tmp_path / "there.toml").read_bytes() == b""
