"""The same results from one process and from a pool, and no hang when a worker dies."""
import os

import pytest

from corpora import UserError
from pipeline.engine import map_shards


def square(number):
    return number * number


def die_at_two(number):
    if number == 2:
        os._exit(9)
    return number


def refuse(number):
    raise UserError(f"shard {number}: line 3: no")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers):
    assert map_shards(square, [3, 1, 2], workers, "squares") == [9, 1, 4]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_shard_comes_through_with_its_message(workers):
    with pytest.raises(UserError, match="line 3"):
        map_shards(refuse, [1, 2, 3], workers, "refuse")


def test_a_killed_worker_is_an_error_not_a_hang():
    with pytest.raises(UserError, match="a worker process died"):
        map_shards(die_at_two, [1, 2, 3, 4], 2, "die")
