"""GPT-1's figure 2, on the left: what each transferred layer is worth."""

import numpy as np
from transformers import AutoConfig

from pipeline.claims.finding import Curve, Measured, Scored
from pipeline.claims.lab import Lab, read_fine_tuned
from pipeline.stages.klue.experiment import load_tasks

MOST_DEPTHS = 7


def measure(lab: Lab) -> Measured:
    """Fine-tune linear heads on the first layers alone, the others random, from the embeddings
    alone to all of the layers."""
    num_layers = AutoConfig.from_pretrained(lab.pretrain().path).num_hidden_layers
    found: dict[str, dict[int, Scored]] = {}
    for depth in depths(num_layers):
        layers = depth if depth < num_layers else "all"
        settings, stage = lab.fine_tune(f"layers-{depth}", transferred_layers=layers)
        for task in load_tasks(settings):
            of_task = found.setdefault(task.name, {})
            of_task[depth] = read_fine_tuned(stage.path, settings, task, "pretrained")
    some = depths(num_layers)[1]
    panels = []
    differences = []
    for of_task in found.values():
        points = [scored.at(depth) for depth, scored in of_task.items()]
        panels.append(of_task[0].panel([Curve(name="linear head", points=points)]))
        every = of_task[num_layers]
        differences.append(every.less(of_task[0], "all layers, less the embeddings alone"))
        if some < num_layers:
            differences.append(every.less(of_task[some], f"all layers, less {some}"))
    return Measured(
        name="layers",
        claim="What is transferred helps, beyond the embeddings and the first layers.",
        source="Radford et al. 2018 (GPT-1), section 5 and figure 2, left",
        axis="layers transferred; the others begin at random",
        panels=panels,
        differences=differences,
    )


def depths(num_layers: int) -> list[int]:
    """From none to all layers, at most MOST_DEPTHS of them, evenly spread."""
    number = min(num_layers + 1, MOST_DEPTHS)
    return sorted({round(depth) for depth in np.linspace(0, num_layers, number)})
