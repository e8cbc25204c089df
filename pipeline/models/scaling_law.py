"""What a model of some size reaches on some amount of text: a scaling law, fitted to runs. Which
runs those are is tools/scaling.py's business."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import huber, logsumexp

from pipeline.artifacts.files import read_json

UNIT = 1e7
"""Parameters and bytes are counted in it, so that the law's numbers are of one order."""
HUBER_DELTA = 1e-3  # of the logarithms' errors, as in Hoffmann et al., 2022
STARTS = tuple(product([-1.0, -0.3], [-1.5], [-1.5], [0.2, 0.5], [0.2, 0.5]))
"""log E, log A, log B, alpha, beta from which the best fit is looked for."""
BOUNDS = [(None, None), (None, None), (None, None), (0, 2), (0, 2)]
NUM_RESAMPLES = 200
INTERVAL = (5, 95)  # percentiles
SEED = 1


class Run(NamedTuple):
    """A finished pretraining, as the law sees it."""

    parameters: float
    text: float  # bytes of training text seen, repetitions included
    bits_per_byte: float  # on validation text


class ScalingLaw(NamedTuple):
    """Bits per byte = E + A / N^alpha + B / D^beta, of N parameters after D bytes, both in UNIT."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def bits_per_byte(self, parameters: float, text: float) -> float:
        """What so many parameters have after so many bytes."""
        N = parameters / UNIT
        D = text / UNIT
        return self.E + self.A / N**self.alpha + self.B / D**self.beta

    def best_parameters(self, budget: float) -> float:
        """The size for which parameters x text = `budget` is spent best (Hoffmann et al., 2022,
        equation 4)."""
        ratio = self.alpha * self.A / (self.beta * self.B)
        return UNIT * (ratio * (budget / UNIT**2) ** self.beta) ** (1 / (self.alpha + self.beta))


class Forecast(NamedTuple):
    """Bits per byte to expect, and between what."""

    bits_per_byte: float
    low: float
    high: float


class Forecaster:
    """A law, and how far it depends on the runs that it was fitted to."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.law = fit_law(runs)
        self.resampled = resample_laws(runs, self.law)

    def forecast(self, parameters: float, text: float) -> Forecast:
        """What so many parameters should have after so many bytes, and 90 % of what laws of other
        draws of the runs say."""
        found = [law.bits_per_byte(parameters, text) for law in self.resampled]
        low, high = np.percentile(found, INTERVAL)
        return Forecast(self.law.bits_per_byte(parameters, text), float(low), float(high))


def read_runs(path: Path) -> list[Run]:
    """The runs of a file that `make scaling` wrote."""
    return [Run(*(row[field] for field in Run._fields)) for row in read_json(path)["runs"]]


def fit_law(runs: Sequence[Run], law: ScalingLaw | None = None) -> ScalingLaw:
    """The law with the least Huber loss of the logarithms (Hoffmann et al., 2022, approach 3).

    It is looked for from STARTS, or near a law that is known.
    """
    parameters_R, text_R, bits_R = np.array(runs).T
    log_N = np.log(parameters_R / UNIT)
    log_D = np.log(text_R / UNIT)

    def loss(point: np.ndarray) -> float:
        log_E, log_A, log_B, alpha, beta = point
        terms = np.broadcast_arrays(log_E, log_A - alpha * log_N, log_B - beta * log_D)
        errors_R = logsumexp(terms, axis=0) - np.log(bits_R)
        return huber(HUBER_DELTA, errors_R).sum() / HUBER_DELTA**2

    starts = [(*np.log(law[:3]), *law[3:])] if law else STARTS
    fits = [minimize(loss, start, method="L-BFGS-B", bounds=BOUNDS) for start in starts]
    best = min(fits, key=lambda fit: fit.fun).x
    return ScalingLaw(*np.exp(best[:3]).tolist(), *best[3:].tolist())


def resample_laws(runs: Sequence[Run], law: ScalingLaw) -> list[ScalingLaw]:
    """The laws of NUM_RESAMPLES draws, with replacement, of as many runs.

    A draw of no more different runs than the law has numbers is drawn again.
    """
    generator = np.random.default_rng(SEED)
    laws: list[ScalingLaw] = []
    while len(laws) < NUM_RESAMPLES:
        drawn = generator.integers(len(runs), size=len(runs))
        if len(set(drawn)) > len(law):
            laws.append(fit_law([runs[number] for number in drawn], law))
    return laws
