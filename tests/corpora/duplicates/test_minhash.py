"""MinHash finds documents that share most of their words in a row, and no others."""

import numpy as np
import pytest

from corpora.duplicates.minhash import band_keys
from corpora.duplicates.texts import Texts
from tests.corpora.duplicates.sentences import make_sentence


@pytest.mark.parametrize("similarity", [0.3, 0.6, 0.9])
def test_the_share_of_equal_minhash_values_estimates_the_jaccard_similarity(similarity):
    estimates, truths = [], []
    num_shared = round(400 * similarity / (1 + similarity))  # of 200 words each
    for trial in range(20):
        words = [f"낱말{trial}x{number}" for number in range(400)]
        left = words[:200]
        right = words[:num_shared] + words[200 : 400 - num_shared]
        keys = band_keys(Texts([" ".join(left), " ".join(right)]), 1, 100, 1)
        estimates.append((keys[:, 0] == keys[:, 1]).mean())
        truths.append(num_shared / (400 - num_shared))
    assert abs(np.mean(estimates) - np.mean(truths)) < 0.04


def test_documents_that_share_most_words_in_a_row_are_alike_and_others_are_not():
    text = make_sentence(1, 200)
    words = text.split()
    edited = " ".join([*words[:100], "바뀐", "말", *words[102:]])
    keys = band_keys(Texts([text, edited, make_sentence(2, 200)]), 5, 14, 8)
    assert (keys[:, 0] == keys[:, 1]).any()
    assert not (keys[:, 0] == keys[:, 2]).any()


def test_a_document_of_too_few_words_has_no_key():
    keys = band_keys(Texts(["네 낱말은 너무 짧다", "이 다섯 낱말은 길이가 맞다", ""]), 5, 14, 8)
    assert (keys[:, [0, 2]] == 0).all()
    assert (keys[:, 1] != 0).all()
