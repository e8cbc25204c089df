"""Which documents are one cluster and which of them stays: by their texts alone, in any order."""

import numpy as np
import pytest
from hypothesis import given, strategies
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from corpora.duplicates.clusters import choose, find_clusters, lowest_hashes

KEYS = strategies.integers(0, 6)


def test_clusters_join_through_any_column_and_zeros_join_nothing():
    first = np.array([1, 2, 1, 0, 0, 3, 4], np.uint64)
    second = np.array([0, 7, 8, 0, 7, 0, 8], np.uint64)
    assert find_clusters(iter([first, second]), 7).tolist() == [0, 1, 0, 3, 1, 5, 0]


@given(strategies.lists(strategies.tuples(KEYS, KEYS), max_size=40))
def test_clusters_are_the_connected_components(rows):
    columns = [np.array([row[side] for row in rows], np.uint64) for side in (0, 1)]
    edges = [
        (one, other)
        for column in columns
        for one in range(len(rows))
        for other in range(one)
        if column[one] == column[other] and column[one] != 0
    ]
    left, right = zip(*edges) if edges else ((), ())
    graph = coo_matrix((np.ones(len(edges)), (left, right)), (len(rows), len(rows)))
    expected = connected_components(graph, directed=False)[1] if rows else []
    found = find_clusters(columns, len(rows))
    for one in range(len(rows)):
        assert ((found == found[one]) == (expected == expected[one])).all()
        assert found[one] == np.flatnonzero(expected == expected[one])[0]  # the lowest member


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_long_chain_through_two_columns_is_one_cluster(shuffled):
    """Each document shares a key with the next one alone, now in one column, now in the other."""
    places = np.arange(100_000)
    if shuffled:
        np.random.default_rng(0).shuffle(places)
    columns = [places // 2 + 1, (places + 1) // 2 + 1]
    assert not find_clusters([column.astype(np.uint64) for column in columns], 100_000).any()


def test_many_equal_documents_are_one_cluster():
    assert not find_clusters([np.ones(300_000, np.uint64)], 300_000).any()


def test_the_copy_that_stays_is_the_same_in_any_order():
    #         source, letters, bytes, hash
    rows = [(0, 10, 40, 5), (0, 10, 30, 9), (0, 10, 30, 7), (1, 99, 300, 1), (0, 8, 90, 2)]
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(5), (20, 1)), axis=1)
    for order in orders:
        ranks, letters, sizes, hashes = np.array([rows[number] for number in order], np.uint64).T
        columns = {"num_letters": letters, "bytes": sizes, "text": hashes, "letters": letters}
        dropped, kept, equal = choose(np.zeros(5, np.int32), ranks, columns.__getitem__)
        assert set(order[kept]) == {2}
        assert sorted(order[dropped]) == [0, 1, 3, 4]
        equal_by_row = dict(zip(order[dropped].tolist(), equal.tolist()))
        assert equal_by_row == {0: True, 1: True, 3: False, 4: False}


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
