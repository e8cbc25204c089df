"""How many steps a fine-tuning takes."""

import pytest

from corpora.tasks.task import TASKS
from pipeline.evaluation.fine_tuning import count_steps
from pipeline.evaluation_settings import KlueSettings


@pytest.mark.parametrize(
    ("num_rows", "least_steps", "expected"), [(64, 0, 12), (65, 0, 15), (9, 0, 3), (9, 60, 60)]
)
def test_few_rows_get_as_many_steps_as_they_are_promised(num_rows, least_steps, expected):
    settings = KlueSettings(epochs={"ynat": 3}, batch_size=16, least_steps=least_steps)
    assert count_steps(TASKS["ynat"], num_rows, settings) == expected
