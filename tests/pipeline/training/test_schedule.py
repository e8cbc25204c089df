"""What happens at which step."""

import itertools

import pytest

from pipeline.training.schedule import learning_rate_factor, snapshot_steps, validation_steps


def test_the_learning_rate_warms_up_and_ends_near_zero():
    rates = [learning_rate_factor(step, 24, 4) for step in range(24)]
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1])
    assert all(before >= after for before, after in itertools.pairwise(rates[4:]))
    assert 0 < rates[-1] <= 1 / 20


def test_validations_are_evenly_spread_and_the_last_step_has_one():
    assert validation_steps(4, 100) == {25, 50, 75, 100}
    assert validation_steps(8, 3) == {0, 1, 2, 3}


def test_models_are_kept_at_thirds_of_the_steps_and_never_before_the_first():
    assert snapshot_steps(0, 9000) == set()
    assert snapshot_steps(3, 9000) == {3000, 1000, 333}
    assert snapshot_steps(9, 9) == {3, 1}
