"""The tokenizer stage: trained from a corpus, or adopted from a folder."""

import json
import re
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from corpora.errors import UserError
from pipeline.executors import Context
from pipeline.settings import TokenizerSettings
from pipeline.stages import tokenizer as stage
from tests.pipeline.tiny_corpus import write_corpus
from tests.tiny_tokenizer import ARTICLES

CONTEXT = Context()
SETTINGS = {"vocab_size": 1024, "sample_bytes": 1_000_000}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    return write_corpus(folder, train=ARTICLES[20:], validation=ARTICLES[:20])


@pytest.fixture(scope="module")
def plain(corpus, tmp_path_factory):
    """A tokenizer trained without morphemes or options of its own."""
    folder = tmp_path_factory.mktemp("plain")
    build(corpus, folder, morphemes="none")
    return folder


def build(corpus, folder, context=CONTEXT, **settings):
    folder.mkdir(exist_ok=True)
    return stage.run(TokenizerSettings(**SETTINGS | settings), {"corpus": corpus}, folder, context)


def has_piece(folder, pattern):
    pieces = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    return any(re.search(pattern, piece) for piece in pieces if not piece.startswith("<"))


@pytest.mark.parametrize(
    ("option", "value", "pattern"),
    [
        ("split_by_unicode_script", False, "[가-힣]\\."),
        ("split_digits", True, "[0-9]{2}"),
        ("treat_whitespace_as_suffix", True, "[가-힣]\u2581"),
    ],
)
def test_sentencepieces_own_options_change_the_pieces_and_pass_the_gate(
    corpus, plain, tmp_path, option, value, pattern
):
    build(corpus, tmp_path, morphemes="none", **{option: value})
    assert has_piece(tmp_path, pattern) != has_piece(plain, pattern)


def test_the_folder_opens_with_autotokenizer_and_its_figures_are_written(corpus, tmp_path):
    counts = build(corpus, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(str(tmp_path))
    text = "  대한민국은\n<s>"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    [report] = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["all"] == report["kinds"]["law"] == counts["held_out"]
    assert report["all"]["documents"] == 20
    assert report["trained_on"]["documents"] == len(ARTICLES) - 20
    assert "tokens per eojeol" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| Hangul syllable |" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_corpus_in_other_shards_and_more_workers_give_the_same_files(corpus, tmp_path):
    other = write_corpus(
        tmp_path / "other", num_shards=5, train=ARTICLES[20:][::-1], validation=ARTICLES[:20]
    )
    build(corpus, tmp_path / "one")
    build(other, tmp_path / "two", context=Context(workers=3))
    for path in filter(Path.is_file, (tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_held_out_document_that_fails_stops_the_stage(corpus, tmp_path, monkeypatch):
    def lose_spaces(text, encoders):
        return "a space is lost" if "대한민국은" in text else None

    monkeypatch.setattr("tokenizer.quality.survey.find_problem", lose_spaces)
    with pytest.raises(
        UserError, match=r"gate: \d+ of 20 held-out documents fail.*a space is lost"
    ):
        build(corpus, tmp_path)


def test_the_project_s_own_tokenizer_is_adopted_with_its_sentencepiece_model(corpus, tmp_path):
    build(corpus, tmp_path / "one", model_type="unigram", morphemes="none")
    (tmp_path / "one" / "config.json").write_text('{"model_type": "gpt2"}')
    quality = build(corpus, tmp_path / "two", init=str(tmp_path / "one"))
    assert quality["vocab_size"] == 1024
    assert quality["held_out"]["problems"] == 0
    models_of_both = [tmp_path / name / "sentencepiece.model" for name in ("one", "two")]
    assert models_of_both[0].read_bytes() == models_of_both[1].read_bytes()
    one = AutoTokenizer.from_pretrained(str(tmp_path / "one"))
    two = AutoTokenizer.from_pretrained(str(tmp_path / "two"))
    assert one("글 <s>\n")["input_ids"] == two("글 <s>\n")["input_ids"]


def save_foreign(folder, **special):
    """A tokenizer of two words; `special` are its special tokens."""
    vocabulary = {"[UNK]": 0, "국민은": 1, "모든": 2, "<|end|>": 3}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(folder)
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    return str(folder)


def test_what_an_adopted_tokenizer_loses_is_reported(corpus, tmp_path):
    init = save_foreign(tmp_path / "foreign", eos_token="<|end|>", unk_token="[UNK]")
    found = build(corpus, tmp_path / "out", init=init)["held_out"]
    # Whatever it was trained on, it wasn't this corpus: all of that is held out.
    assert found["problems"] == found["documents"] == len(ARTICLES)
    assert found["unknown_tokens"] > 100
    assert "an unknown token after" in found["first_problem"]
    assert not (tmp_path / "out" / "sentencepiece.model").exists()
    assert AutoTokenizer.from_pretrained(str(tmp_path / "out")).eos_token_id == 3


def test_a_tokenizer_without_an_end_token_is_refused(corpus, tmp_path):
    init = save_foreign(tmp_path / "foreign", unk_token="[UNK]")
    with pytest.raises(UserError, match="no end-of-text token"):
        build(corpus, tmp_path / "out", init=init)


def test_folders_that_hold_no_tokenizer_are_refused_by_name(corpus, tmp_path):
    with pytest.raises(UserError, match="nowhere: no such folder"):
        build(corpus, tmp_path / "out", init=str(tmp_path / "nowhere"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match=r"no config\.json"):
        build(corpus, tmp_path / "out", init=str(empty))
    (empty / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(UserError, match=r"no tokenizer\.json"):
        build(corpus, tmp_path / "out", init=str(empty))
    (empty / "tokenizer.json").write_text("{broken", encoding="utf-8")
    with pytest.raises(UserError, match="can't be loaded"):
        build(corpus, tmp_path / "out", init=str(empty))
