"""GPT-1's table 5: fine-tuning with and without the language model's loss beside the task's."""

from pipeline.claims.finding import Curve, Measured
from pipeline.claims.lab import Lab, read_fine_tuned
from pipeline.stages.klue.experiment import load_tasks

WEIGHT = 0.5  # GPT-1's


def measure(lab: Lab) -> Measured:
    """Fine-tune linear heads with and without it."""
    settings, with_it = lab.fine_tune("auxiliary", lm_weight=WEIGHT)
    _, without = lab.fine_tune("linear", lm_weight=0.0)
    panels = []
    differences = []
    for task in load_tasks(settings):
        one = read_fine_tuned(with_it.path, settings, task, "pretrained")
        other = read_fine_tuned(without.path, settings, task, "pretrained")
        points = [other.at("without"), one.at(f"weight {WEIGHT:g}")]
        panels.append(one.panel([Curve(name="linear head", points=points)]))
        differences.append(one.less(other, "with, less without"))
    return Measured(
        name="auxiliary",
        claim="The language model's loss beside the task's helps, most where there are many rows.",
        source="Radford et al. 2018 (GPT-1), section 5 and table 5",
        axis="the auxiliary loss",
        panels=panels,
        differences=differences,
    )
