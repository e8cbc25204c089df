"""Superwords: pieces that cross spaces and morphemes."""

import pytest
from sentencepiece import SentencePieceProcessor

from corpora.errors import UserError
from tests.tiny_tokenizer import ARTICLES, train, train_on_articles


def load(model):
    return SentencePieceProcessor(model_proto=model)


def pieces_of(processor, first, last):
    return [processor.id_to_piece(index) for index in range(first, last)]


def test_superwords_cross_spaces_after_the_words_are_learnt():
    without = load(train_on_articles(vocab_size=896))
    with_them = load(train_on_articles(vocab_size=1024, superwords=128))
    assert pieces_of(with_them, 0, 896) == pieces_of(without, 0, 896)
    added = pieces_of(with_them, 896, 1024)
    assert len(with_them) == 1024
    assert len(set(added)) == 128
    assert any("\u2581" in piece[1:] for piece in added)
    num_tokens = sum(map(len, with_them.encode(ARTICLES)))
    assert num_tokens < 0.9 * sum(map(len, without.encode(ARTICLES)))
    assert with_them.decode(with_them.encode(ARTICLES)) == ARTICLES


def test_superwords_cross_morphemes():
    processor = load(train_on_articles(morphemes="mecab", superwords=128))
    assert any("법률이" in piece for piece in pieces_of(processor, 896, 1024))


def test_superwords_that_are_too_many_for_the_text_are_refused():
    message = r"superwords=1024: too many for this text, the most are \d+"
    with pytest.raises(UserError, match=message):
        train(ARTICLES[:5], vocab_size=1664, superwords=1024)
