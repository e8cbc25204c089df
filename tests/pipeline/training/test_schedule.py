"""What happens at which step."""

import itertools

import pytest

from pipeline.training.schedule import learning_rate_factor, validation_steps


def test_the_learning_rate_warms_up_and_ends_near_zero():
    rates = [learning_rate_factor(step, 24, 4) for step in range(24)]
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1])
    assert all(before >= after for before, after in itertools.pairwise(rates[4:]))
    assert 0 < rates[-1] <= 1 / 20


def test_validations_are_evenly_spread_and_the_last_step_has_one():
    assert validation_steps(4, 100) == {25, 50, 75, 100}
    assert validation_steps(8, 3) == {0, 1, 2, 3}
