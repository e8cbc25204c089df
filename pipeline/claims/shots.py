"""GPT-3's figures 1.2 and 1.3: examples in the prompt, by number and by the model's size."""

from pathlib import Path
from typing import NamedTuple

from corpora.tasks.rows import load_task
from pipeline.claims.finding import Curve, Measured, Scored, as_difference, subtract
from pipeline.claims.lab import Lab, read_asked
from pipeline.stages.stage import run_stage
from pipeline.tools.scaling import variants_of

SHOTS = (0, 1, 2, 4, 8)


class Sized(NamedTuple):
    """A pretrained model, and its size."""

    name: str
    parameters: int
    steps: int
    folder: Path


def measure(lab: Lab) -> Measured:
    """Ask the longest runs of `make scaling`, one a size, which are made if they aren't there, and
    the preset's model."""
    models = models_by_size(lab)
    found: dict[str, dict[tuple[Sized, int], Scored]] = {}
    for model in models:
        settings, stage = lab.ask(f"shots-{model.parameters}-{model.steps}", model.folder, SHOTS)
        for task in map(load_task, settings.tasks):
            for shots in SHOTS:
                scored = read_asked(stage.path, task, shots)
                found.setdefault(task.name, {})[model, shots] = scored
    fewest_steps = min(model.steps for model in models)  # those of all but the preset's own
    smallest, *_, largest = (model for model in models if model.steps == fewest_steps)
    panels = []
    differences = []
    for of_task in found.values():
        curves = [
            Curve(name=model.name, points=[of_task[model, shots].at(shots) for shots in SHOTS])
            for model in models
        ]
        asked = of_task[largest, 0]
        panels.append(asked.panel(curves, has_level=True))
        gains = {
            model: subtract(of_task[model, SHOTS[-1]].figure, of_task[model, 0].figure)
            for model in models
        }
        for model, gain in gains.items():
            what = f"{model.name}: {SHOTS[-1]} shots, less none"
            differences.append(as_difference(asked.task, what, gain))
        what = f"what {SHOTS[-1]} shots give {largest.name}, less what they give {smallest.name}"
        more = subtract(gains[largest], gains[smallest])
        differences.append(as_difference(asked.task, what, more))
    return Measured(
        name="shots",
        claim="Examples in the prompt help, and the more so the larger the model is.",
        source="Brown et al. 2020 (GPT-3), section 1, figures 1.2 and 1.3",
        axis="labelled rows in the prompt",
        panels=panels,
        differences=differences,
        remark="A prompt holds as many whole examples of these as fit into the context.",
    )


def models_by_size(lab: Lab) -> list[Sized]:
    """The models, smallest first."""
    variants = list(variants_of(lab.preset))
    longest = max(variant.pretrain.steps for variant in variants)
    chosen = [variant for variant in variants if variant.pretrain.steps == longest]
    models: list[Sized] = []
    for preset in (*chosen, lab.preset):
        stage = run_stage("pretrain", preset, lab.artifacts, lab.data, lab.new_context)
        parameters = stage.manifest["counts"]["parameters"]
        name = f"{parameters / 1e6:.2f}M, {preset.pretrain.steps:,} steps"
        models.append(Sized(name, parameters, preset.pretrain.steps, stage.path))
    return sorted(models, key=lambda model: (model.parameters, model.steps))
