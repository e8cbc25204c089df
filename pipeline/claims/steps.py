"""GPT-1's figure 2, on the right: what a model that was never fine-tuned knows of the tasks, after
more and more steps of pretraining."""

from pathlib import Path

from corpora.tasks.rows import load_task
from pipeline.claims.finding import Curve, Measured, Scored
from pipeline.claims.lab import Lab, read_asked
from pipeline.stages.pretrain import SNAPSHOTS

KINDS = {False: "zero-shot", True: "zero-shot, calibrated"}


def measure(lab: Lab) -> Measured:
    """Ask the models that pretraining kept on its way, without a gradient step."""
    found: dict[str, dict[tuple[bool, int], Scored]] = {}
    models = models_by_step(lab)
    for step, model in models.items():
        settings, stage = lab.ask(f"steps-{step}", model, (0,))
        for task in map(load_task, settings.tasks):
            for kind in KINDS:
                scored = read_asked(stage.path, task, 0, calibrated=kind)
                found.setdefault(task.name, {})[kind, step] = scored
    panels = []
    differences = []
    first, last = min(models), max(models)
    for of_task in found.values():
        curves = [
            Curve(name=name, points=[of_task[kind, step].at(step) for step in models])
            for kind, name in KINDS.items()
        ]
        panels.append(of_task[False, last].panel(curves, has_level=True))
        for kind, name in KINDS.items():
            what = f"{name}: after {last:,} steps, less after {first:,}"
            differences.append(of_task[kind, last].less(of_task[kind, first], what))
    return Measured(
        name="steps",
        claim="Pretraining by itself teaches the tasks: zero-shot scores grow with it.",
        source="Radford et al. 2018 (GPT-1), section 5 and figure 2, right",
        axis="steps of pretraining",
        is_logarithmic=True,
        panels=panels,
        differences=differences,
    )


def models_by_step(lab: Lab) -> dict[int, Path]:
    """The folders of the models on the way, and of the last one."""
    stage = lab.pretrain()
    models = {int(path.name): path for path in sorted((stage.path / SNAPSHOTS).glob("[0-9]*"))}
    return models | {lab.preset.pretrain.steps: stage.path}
