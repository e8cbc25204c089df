"""The gate holds for what this project trains, and fails, by name, for what is broken."""

import json

import pytest

from corpora.errors import UserError
from tests.tiny_tokenizer import train_on_articles
from tokenizer.export import export
from tokenizer.quality.encoders import open_encoders
from tokenizer.quality.gate import NASTY_STRINGS, check_nasty_strings, find_problem
from tokenizer.special_tokens import SPECIAL_TOKENS


@pytest.fixture
def folder(tmp_path):
    export(train_on_articles(), tmp_path)
    return tmp_path


def edit(path, change):
    """Change the JSON value in a file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_sound_tokenizer_passes(folder):
    encoders = open_encoders(folder)
    check_nasty_strings(encoders)
    assert [find_problem(text, encoders) for text in ("", "대한민국은", "\n 줄")] == [None] * 3


def test_nasty_strings_hold_the_special_tokens_names_and_long_runs():
    assert NASTY_STRINGS[:10] == SPECIAL_TOKENS[:10]
    assert NASTY_STRINGS[10] == "가" * 10_000
    assert len(set(NASTY_STRINGS)) == len(NASTY_STRINGS)


def test_other_merges_are_found(folder):
    edit(folder / "tokenizer.json", lambda content: content["model"]["merges"].reverse())
    with pytest.raises(UserError, match=r"nasty string \d+ .*token \d+ differs: sentencepiece"):
        check_nasty_strings(open_encoders(folder))


def test_unknown_tokens_are_found(folder):
    edit(
        folder / "tokenizer.json",
        lambda content: content["model"].update(byte_fallback=False),
    )
    with pytest.raises(UserError, match="unknown token"):
        check_nasty_strings(open_encoders(folder))


def test_text_that_becomes_a_special_token_is_found(folder):
    edit(
        folder / "tokenizer_config.json",
        lambda content: content.update(split_special_tokens=False),
    )
    with pytest.raises(UserError, match="AutoTokenizer: text became special token <pad>"):
        check_nasty_strings(open_encoders(folder))


def test_a_lost_space_is_found(folder):
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    edit(
        folder / "tokenizer.json",
        lambda content: content["decoder"]["decoders"].append(strip),
    )
    problem = find_problem(" 국민", open_encoders(folder))
    assert problem == "AutoTokenizer gives back '국민' for ' 국민', character 0"


def test_a_tokenizer_that_adds_tokens_is_found(folder):
    def prepend_space(content):
        normalizers = [content["normalizer"], {"type": "Prepend", "prepend": "▁"}]
        content["normalizer"] = {"type": "Sequence", "normalizers": normalizers}

    edit(folder / "tokenizer.json", prepend_space)
    assert "token 0 differs" in find_problem("국민", open_encoders(folder))


def test_ids_that_end_too_early_differ_where_they_end(folder):
    sound = open_encoders(folder)[0]
    short = sound._replace(name="short", encode=lambda text: sound.encode(text)[:-1])
    num_tokens = len(sound.encode("모든 국민은"))
    problem = find_problem("모든 국민은", [sound, short])
    assert problem.startswith(f"token {num_tokens - 1} differs: sentencepiece")
