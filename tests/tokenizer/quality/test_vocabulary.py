"""The kinds of pieces."""

import pytest

from tokenizer.analysers import load_mecab
from tokenizer.quality.encoders import Encoder, Located
from tokenizer.quality.vocabulary import classify, piece_texts


@pytest.fixture(scope="module")
def tagger():
    return load_mecab()


def encoder_of(*pieces, special=()):
    return Encoder(
        "by hand",
        encode=lambda text: [],
        decode=lambda ids: "".join(pieces[index] for index in ids).replace("▁", " "),
        locate=lambda text: Located([], []),
        pieces=list(pieces),
        special=frozenset(special),
        unknown=None,
    )


@pytest.mark.parametrize(
    ("piece", "kind"),
    [
        ("▁", "white space"),
        ("\n", "white space"),
        ("할▁수", "across spaces"),
        ("▁가", "Hangul syllable"),
        ("▁국민", "Hangul"),
        ("국민은", "Hangul with a particle"),
        ("##국민", "Hangul"),
        ("은", "Hangul syllable"),
        ("ㅋㅋ", "jamo"),
        ("憲法", "Hanja"),
        ("▁GPT", "Latin"),
        ("2024", "digits"),
        ("...", "punctuation and signs"),
        ("다.", "mixed and other scripts"),
        ("<0x0A>", "single bytes or parts of characters"),
        ("\ufffd", "single bytes or parts of characters"),
    ],
)
def test_a_piece_is_of_the_first_kind_that_fits(tagger, piece, kind):
    encoder = encoder_of(piece)
    assert classify(0, piece_texts(encoder)[0], encoder, tagger) == kind


def test_a_special_token_is_none_of_the_others(tagger):
    encoder = encoder_of("<pad>", special=[0])
    assert classify(0, "<pad>", encoder, tagger) == "special"


def test_an_id_without_a_piece_has_no_text():
    assert piece_texts(encoder_of("국민", "", "▁은")) == {0: "국민", 2: " 은"}
