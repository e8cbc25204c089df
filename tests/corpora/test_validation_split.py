"""Validation text is chosen by the texts alone."""

import numpy as np

from corpora.validation_split import lowest_hashes


def test_validation_takes_its_share_of_the_bytes_whatever_the_order():
    hashes = np.random.default_rng(1).integers(1 << 63, size=2000, dtype=np.uint64) * np.uint64(2)
    sizes = np.full(2000, 50, np.uint64)
    eligible = np.ones(2000, bool)
    chosen = lowest_hashes(hashes, sizes, eligible, 0.1)
    assert len(chosen) == 200
    assert (np.sort(hashes[chosen]) == np.sort(hashes)[:200]).all()
    shuffled = np.random.default_rng(0).permutation(2000)
    again = lowest_hashes(hashes[shuffled], sizes, eligible, 0.1)
    assert set(shuffled[again]) == set(chosen)


def test_what_is_not_eligible_is_never_chosen():
    hashes = np.arange(2000, dtype=np.uint64) << np.uint64(50)
    eligible = np.arange(2000) >= 50
    chosen = lowest_hashes(hashes, np.full(2000, 50, np.uint64), eligible, 0.1)
    assert len(chosen) == 195
    assert chosen.min() == 50


def test_a_source_of_one_document_keeps_it_for_training():
    one = np.array([1], np.uint64)
    assert len(lowest_hashes(one, np.array([10], np.uint64), np.array([True]), 0.3)) == 0


def test_no_share_chooses_nothing_and_ends():
    hashes = np.arange(1, 6, dtype=np.uint64)
    assert len(lowest_hashes(hashes, np.full(5, 10, np.uint64), np.ones(5, bool), 0.0)) == 0
