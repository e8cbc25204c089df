"""The report's figures are right, for this project's tokenizers and for others."""

import json

import pytest
import sentencepiece
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from tests.tiny_tokenizer import ARTICLES, train_on_articles
from tokenizer.export import export
from tokenizer.quality.encoders import open_any, open_encoders
from tokenizer.quality.gate import NASTY_STRINGS
from tokenizer.quality.report import describe
from tokenizer.quality.vocabulary import PART

LAW = ARTICLES[:20]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    export(train_on_articles(), folder)
    return folder


def test_a_sound_tokenizer_is_described(folder):
    encoders = open_encoders(folder)
    report = describe("ours", encoders, {"law": LAW, "nasty": [*NASTY_STRINGS]})
    assert report["name"] == "ours"
    assert report["compared_with"] == [encoder.name for encoder in encoders[1:]]
    figures = report["kinds"]["law"]
    text = "".join(LAW)
    assert figures["documents"] == 20
    assert figures["characters"] == len(text)
    assert figures["bytes"] == len(text.encode())
    assert report["all"]["unknown_tokens"] == report["all"]["problems"] == 0
    assert 1 < figures["tokens_per_eojeol"] < 8
    assert figures["tokens_per_byte"] < figures["tokens_per_character"] < 1
    assert report["all"]["tokens"] == sum(kind["tokens"] for kind in report["kinds"].values())


def test_every_piece_has_a_kind_and_the_unused_ones_are_counted(folder):
    report = describe("ours", open_encoders(folder), {"law": LAW})
    assert sum(report["vocabulary"].values()) == report["vocab_size"] == 1024
    assert report["vocabulary"]["special"] == 109
    assert report["vocabulary"][PART] == 256
    assert report["vocabulary"]["Hangul with a particle"] > 0
    assert report["unused"]["of"] == 1024 - 109 - 256
    assert 0 < report["unused"]["pieces"] < report["unused"]["of"]
    assert len(report["longest"][0]) == max(map(len, report["longest"])) > 3


def test_the_same_figures_come_from_sentencepiece_and_from_tokenizers(folder):
    kinds = {"law": LAW, "signs": ["👍🏽 가\u0301 한\n글 𝕳은", "", " "]}
    by_model = describe("the same", [open_any(folder / "sentencepiece.model")], kinds)
    by_folder = describe("the same", [open_any(folder)], kinds)
    assert by_model == by_folder
    assert by_model["all"]["problems"] == 0


def train_byte_level(folder):
    """A tokenizer as GPT-2's, with a gap in its ids."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(ARTICLES, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
    fast.save_pretrained(folder)
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    vocabulary = content["model"]["vocab"]
    vocabulary[max(vocabulary, key=vocabulary.get)] = 700
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_byte_level_tokenizer_with_a_gap_in_its_ids_is_described(tmp_path):
    train_byte_level(tmp_path)
    report = describe("byte-level", [open_any(tmp_path)], {"law": LAW})
    assert report["all"]["problems"] == 0
    assert report["vocab_size"] == 600
    assert report["tokens_that_are_parts"] > 0.1
    assert report["vocabulary"][PART] > 128


def test_where_few_pieces_are_used_the_gap_is_none_of_the_most_frequent(tmp_path):
    train_byte_level(tmp_path)
    report = describe("byte-level", [open_any(tmp_path)], {"short": ["국"]})
    assert len(report["most_frequent"]) == 20
    assert all(text for text, _ in report["most_frequent"])


def test_a_sentencepiece_model_with_its_usual_losses_is_described(tmp_path):
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(ARTICLES),
        model_prefix=str(tmp_path / "plain"),
        vocab_size=600,
        minloglevel=2,
    )
    report = describe("plain", [open_any(tmp_path / "plain.model")], {"law": LAW})
    assert report["all"]["problems"] > 0
    assert report["vocabulary"]["white space"] == 1
