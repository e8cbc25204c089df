"""The scaling law: found again from runs that follow one, and what it forecasts."""

from itertools import product

import numpy as np
import pytest

from pipeline.models.scaling_law import Forecaster, Run, ScalingLaw, fit_law

TRUE = ScalingLaw(E=0.9, A=0.2, B=0.25, alpha=0.35, beta=0.4)
SIZES = (1.2e6, 2.9e6, 5.8e6, 10.5e6)
TEXTS = (7e6, 20e6, 61e6)
NOISE = 0.002


def runs_of(law: ScalingLaw, noise: float) -> list[Run]:
    errors = np.random.default_rng(1).normal(0, noise, len(SIZES) * len(TEXTS))
    return [
        Run(size, text, law.bits_per_byte(size, text) + error)
        for (size, text), error in zip(product(SIZES, TEXTS), errors)
    ]


def test_a_law_is_found_again_from_exact_runs():
    assert fit_law(runs_of(TRUE, 0)) == pytest.approx(TRUE, abs=0.02)


def test_from_runs_with_noise_a_longer_run_is_forecast_within_the_noise():
    forecast = Forecaster(runs_of(TRUE, NOISE)).forecast(5.8e6, 150e6)
    expected = TRUE.bits_per_byte(5.8e6, 150e6)
    assert forecast.bits_per_byte == pytest.approx(expected, abs=3 * NOISE)
    assert forecast.low <= forecast.bits_per_byte <= forecast.high


def test_an_interval_widens_with_the_distance_from_the_runs():
    forecaster = Forecaster(runs_of(TRUE, NOISE))
    near = forecaster.forecast(5.8e6, 60e6)
    far = forecaster.forecast(124e6, 10e9)
    assert far.high - far.low > 3 * (near.high - near.low) > 0


def test_the_best_size_of_a_budget_is_better_than_those_beside_it():
    budget = 5.8e6 * 150e6
    best = TRUE.best_parameters(budget)
    reached = {
        scale: TRUE.bits_per_byte(scale * best, budget / (scale * best)) for scale in (0.9, 1, 1.1)
    }
    assert min(reached, key=reached.__getitem__) == 1
