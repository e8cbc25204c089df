"""Two texts have one hash if their letters and digits are the same, and only then."""

import numpy as np
from hypothesis import given, settings, strategies

from corpora.duplicates.minhash import band_keys
from corpora.duplicates.texts import DIGIT, KINDS, LOWER, Texts, letter_hashes
from tests.corpora.duplicates.sentences import make_sentence


def hashes_of(texts):
    return letter_hashes(Texts(texts), texts).tolist()


def letters_of(text):
    units = np.frombuffer(text.encode("utf-16-le"), "<u2")
    return tuple(int(LOWER[unit]) for unit in units if KINDS[unit] >= DIGIT)


def test_spaces_punctuation_and_case_alone_make_no_difference():
    same = [
        "정말 재밌다 ABC 12",
        "정말재밌다abc12",
        "정말, 재밌다!! (abc) 1-2♥",
        "정말\n\n재밌다 Abc 12 ",
    ]
    assert len(set(hashes_of(same))) == 1


def test_other_letters_another_order_and_other_signs_alone_make_a_difference():
    assert len(set(hashes_of(["정말 재밌다", "정말 재밌다 1", "재밌다 정말", "!!", "??", ""]))) == 6


def test_a_hash_depends_on_the_text_and_not_on_its_neighbours_in_the_batch():
    texts = [make_sentence(seed, 5 + seed) for seed in range(30)] + ["ㅋㅋㅋ", "가", "😀😀", "ᄒᆞᆫ글"]
    alone = [hashes_of([text])[0] for text in texts]
    assert hashes_of(texts) == alone
    assert hashes_of(texts[::-1]) == alone[::-1]
    keys = band_keys(Texts(texts), 5, 3, 4)
    for number, text in enumerate(texts):
        assert (band_keys(Texts([text]), 5, 3, 4)[:, 0] == keys[:, number]).all()


@given(strategies.lists(strategies.text(max_size=30), min_size=1, max_size=6))
@settings(max_examples=200)
def test_spans_are_told_apart_as_their_letters_are(texts):
    letters = [letters_of(text) for text in texts]
    hashes = hashes_of(texts)
    for left, left_hash in zip(letters, hashes):
        for right, right_hash in zip(letters, hashes):
            if left and right:
                assert (left == right) == (left_hash == right_hash)


def test_copies_of_a_line_are_counted_within_its_document():
    texts = Texts(["가!\n나\n\n가\n가?", "가\n!!\n??"])
    assert texts.line_copies_N.tolist() == [0, 0, 0, 1, 2, 0, 0, 0]
