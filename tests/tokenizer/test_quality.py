"""The gate holds for what this project trains, and fails, by name, for what is broken."""
import json
from pathlib import Path

import pytest
from konlpy.corpus import kolaw

from corpora import UserError
from tokenizer.export import export
from tokenizer.quality import check_tokenizer
from tokenizer.train import train_model

CONSTITUTION = Path(kolaw.abspath("constitution.txt")).read_text(encoding="utf-8")
ARTICLES = [line for line in CONSTITUTION.split("\n") if line.strip()]
HELD_OUT = [(f"document {number}", text) for number, text in enumerate(ARTICLES[:20])]


@pytest.fixture
def folder(tmp_path):
    export(train_model(ARTICLES, "bpe", 1024, "none", 0.9995)[0], tmp_path)
    return tmp_path


def edit(path, change):
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_sound_tokenizer_passes_and_is_described(folder):
    figures = check_tokenizer(folder, HELD_OUT)
    text = "".join(text for _, text in HELD_OUT)
    assert (figures["documents"], figures["characters"], figures["bytes"]) == (20, len(text), len(text.encode()))
    assert figures["unknown_tokens"] == figures["problems"] == 0
    assert 1 < figures["tokens_per_eojeol"] < 8
    assert figures["tokens_per_byte"] < figures["tokens_per_character"] < 1


def test_no_held_out_text_is_no_proof(folder):
    with pytest.raises(UserError, match="no held-out documents"):
        check_tokenizer(folder, [])


def test_other_merges_are_found(folder):
    edit(folder / "tokenizer.json", lambda content: content["model"]["merges"].reverse())
    with pytest.raises(UserError, match=r"token \d+ differs: sentencepiece"):
        check_tokenizer(folder, HELD_OUT)


def test_a_difference_in_one_document_alone_is_found_and_named(folder):
    piece = "대통령"
    edit(folder / "tokenizer.json", lambda content: content["model"].update(
        merges=[pair for pair in content["model"]["merges"] if "".join(pair) != piece]))
    with pytest.raises(UserError, match=r"held-out documents fail\. The first: 대통령 하나: token 0 differs"):
        check_tokenizer(folder, [("다른 글", "모든 국민은"), ("대통령 하나", "대통령은")])


def test_unknown_tokens_are_found(folder):
    edit(folder / "tokenizer.json", lambda content: content["model"].update(byte_fallback=False))
    with pytest.raises(UserError, match="unknown token"):
        check_tokenizer(folder, HELD_OUT)


def test_text_that_becomes_a_special_token_is_found(folder):
    edit(folder / "tokenizer_config.json", lambda content: content.update(split_special_tokens=False))
    with pytest.raises(UserError, match="became special token <pad>"):
        check_tokenizer(folder, HELD_OUT)


def test_a_lost_space_is_found(folder):
    edit(folder / "tokenizer.json", lambda content: content["decoder"]["decoders"].append(
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}))
    with pytest.raises(UserError, match="AutoTokenizer gives back"):
        check_tokenizer(folder, HELD_OUT)


def test_a_tokenizer_that_adds_tokens_is_found(folder):
    edit(folder / "tokenizer.json", lambda content: content.update(
        normalizer={"type": "Sequence", "normalizers": [content["normalizer"], {"type": "Prepend", "prepend": "▁"}]}))
    with pytest.raises(UserError, match="differs"):
        check_tokenizer(folder, HELD_OUT)
