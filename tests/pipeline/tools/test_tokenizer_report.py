"""`make tokenizer-report` compares tokenizers on the same text."""

import json

import pytest

from corpora.errors import UserError
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
    with pytest.raises(UserError, match="/no/such"):
        call_pipeline("tokenizer-report", *typed, "/no/such", folder=built)
    with pytest.raises(UserError, match=r"damaged\.model: no SentencePiece model"):
        call_pipeline("tokenizer-report", *typed, damaged, folder=built)


def test_a_damaged_tokenizer_of_the_preset_is_named(copy, tiny_preset):
    (copy / "artifacts/tiny/tokenizer/tokenizer.json").write_text("{broken")
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        call_pipeline("tokenizer-report", "--preset", tiny_preset, folder=copy)
