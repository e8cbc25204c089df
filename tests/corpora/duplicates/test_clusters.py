"""Which documents are one cluster and which of them stays: by their texts alone, in any order."""

import numpy as np
import pytest
from hypothesis import given, strategies
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from corpora.duplicates.clusters import find_clusters

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
