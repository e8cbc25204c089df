"""Random labels, and answers of which six in ten are right for sure."""

import numpy as np


def random_answers(
    num_labels: int, num_rows: int = 300, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    gold_N = generator.integers(0, num_labels, num_rows)
    is_known_N = generator.random(num_rows) < 0.6
    return gold_N, np.where(is_known_N, gold_N, generator.integers(0, num_labels, num_rows))
