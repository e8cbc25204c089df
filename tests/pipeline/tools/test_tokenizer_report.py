"""`make tokenizer-report` compares tokenizers on the same text."""

import json

import pytest

from corpora.errors import UserError
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from pipeline.tools.tokenizer_report import name_others, read_klue_texts
from tests.conftest import call_pipeline


def test_tokenizers_are_compared_on_the_same_text_by_folder_and_by_file(
    built, tiny_preset, tmp_path
):
    folder = built / "artifacts/tiny/tokenizer"
    others = f"{folder} {folder / 'sentencepiece.model'}"
    typed = ("--preset", tiny_preset, "--out", tmp_path, "--tokenizers", others)
    printed = call_pipeline("tokenizer-report", *typed, folder=built)
    reports = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    names = [report["name"] for report in reports]
    assert names == ["this tokenizer", "tokenizer", "sentencepiece.model"]
    assert reports[0]["kinds"] == reports[1]["kinds"] == reports[2]["kinds"]
    wanted = {"sample YNAT", "sample NLI", "sample STS", "sample RE"}
    assert wanted < reports[0]["kinds"].keys()
    assert "| this tokenizer |" in printed


def test_a_tokenizer_that_cannot_be_read_is_named(built, tiny_preset, tmp_path):
    damaged = tmp_path / "damaged.model"
    damaged.write_bytes(b"damaged")
    typed = ("--preset", tiny_preset, "--tokenizers")
    with pytest.raises(UserError, match="/no/such: no tokenizer can be loaded"):
        call_pipeline("tokenizer-report", *typed, "/no/such", folder=built)
    with pytest.raises(UserError, match=r"damaged\.model: no SentencePiece model"):
        call_pipeline("tokenizer-report", *typed, damaged, folder=built)


def test_a_damaged_tokenizer_of_the_preset_is_named(copy, tiny_preset):
    (copy / "artifacts/tiny/tokenizer/tokenizer.json").write_text("{broken")
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        call_pipeline("tokenizer-report", "--preset", tiny_preset, folder=copy)


def test_others_are_named_by_the_last_part_of_their_path_or_by_all_of_it(tmp_path):
    model = tmp_path / "with a space/sentencepiece.model"
    paths = f"{tmp_path}/one/same {tmp_path}/two/same '{model}' {tmp_path}/one/same"
    names = [f"{tmp_path}/one/same", f"{tmp_path}/two/same", "sentencepiece.model"]
    assert list(name_others(paths)) == names
    assert name_others("") == {}


def test_the_sample_s_texts_are_called_the_sample_s():
    texts = read_klue_texts("sample")
    assert list(texts) == [f"sample {task.title}" for task in TASKS.values()]
    rows = load_rows("sample", TASKS["nli"], "validation")
    assert len(texts["sample NLI"]) == 2 * len(rows)
    assert rows[0]["premise"] in texts["sample NLI"]
    assert rows[0]["hypothesis"] in texts["sample NLI"]
