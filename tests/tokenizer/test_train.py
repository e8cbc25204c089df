"""Training a SentencePiece model."""

import json
import re
import subprocess
import sys

import pytest
from sentencepiece import SentencePieceProcessor

from corpora.errors import UserError
from tests.conftest import PROJECT
from tests.tiny_tokenizer import ARTICLES, train, train_on_articles
from tokenizer.morphemes import DELIMITER
from tokenizer.special_tokens import SPECIAL_TOKENS
from tokenizer.train import ALWAYS_PIECES, explain_misfit

IN_ANOTHER_PROCESS = """
import json, sys
from tests.tiny_tokenizer import train
documents, options = json.load(sys.stdin)
sys.stdout.buffer.write(train(documents, workers=2, **options))
"""


def load(model):
    return SentencePieceProcessor(model_proto=model)


def pieces_of(model):
    processor = load(model)
    return [processor.id_to_piece(index) for index in range(len(processor))]


def limit_in(caught, words):
    """The number that follows these words in an error's message."""
    return int(re.search(rf"{words} (\d+)", str(caught.value))[1])


def test_special_tokens_have_the_first_ids_and_the_vocabulary_the_size_asked_for():
    processor = load(train_on_articles())
    assert pieces_of(train_on_articles())[:109] == list(SPECIAL_TOKENS)
    ids = (processor.pad_id(), processor.unk_id(), processor.bos_id(), processor.eos_id())
    assert ids == (0, 1, 2, 3)
    assert len(processor) == 1024


@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_newline_tab_and_ascii_are_single_pieces_even_if_the_text_lacks_them(model_type):
    processor = load(train_on_articles(model_type))
    several = [each for each in ALWAYS_PIECES if len(processor.encode(each)) != 1]
    assert several == []
    assert not any(processor.is_byte(index) for index in processor.encode(ALWAYS_PIECES))


@pytest.mark.parametrize(
    ("model_type", "vocab_size", "superwords"),
    [("bpe", 1024, 0), ("bpe", 1024, 128), ("unigram", 896, 0)],
)
def test_the_same_text_gives_the_same_model_in_another_process(model_type, vocab_size, superwords):
    options = {
        "model_type": model_type,
        "vocab_size": vocab_size,
        "morphemes": "mecab",
        "superwords": superwords,
    }
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS],
        input=json.dumps([ARTICLES, options]).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
        cwd=PROJECT,
    )
    assert done.stdout == train_on_articles(**options)


def test_morphemes_keep_a_noun_and_its_particle_in_separate_pieces():
    without = pieces_of(train_on_articles(morphemes="none"))
    with_mecab = pieces_of(train_on_articles(morphemes="mecab"))
    assert any("국민은" in piece for piece in without)
    assert not any("국민은" in piece or DELIMITER in piece for piece in with_mecab)
    assert "▁국민" in with_mecab


def test_a_vocabulary_larger_than_the_text_allows_names_the_largest_that_works():
    with pytest.raises(UserError, match="largest that works is") as caught:
        train(ARTICLES, vocab_size=65_536)
    largest = limit_in(caught, "largest that works is")
    assert len(load(train(ARTICLES, vocab_size=largest))) == largest
    with pytest.raises(UserError, match=f"largest that works is {largest}"):
        train(ARTICLES, vocab_size=largest + 128)


def test_a_vocabulary_smaller_than_the_alphabet_names_the_smallest_that_works():
    with pytest.raises(UserError, match="smallest that works is") as caught:
        train(ARTICLES, vocab_size=384)
    smallest = limit_in(caught, "smallest that works is")
    assert len(load(train(ARTICLES, vocab_size=smallest))) == smallest


def test_superwords_count_in_the_limit_of_a_vocabulary():
    with pytest.raises(UserError, match=r"largest that works is \d+ with superwords=512") as caught:
        train(ARTICLES, vocab_size=65_536, superwords=512)
    largest = limit_in(caught, "largest that works is")
    assert largest % 128 == 0
    with pytest.raises(UserError, match=f"largest that works is {largest} with"):
        train(ARTICLES, vocab_size=largest + 128, superwords=512)


def test_what_sentencepiece_says_of_anything_else_is_not_reworded():
    assert explain_misfit("INTERNAL: no space left on device", 1024, 0) is None
