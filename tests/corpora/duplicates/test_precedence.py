"""Of a cluster's documents one stays, whatever the order they come in."""

import numpy as np

from corpora.duplicates.precedence import choose


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
