"""A label is language: a head of its own, words, and one model's words, by the number of labels."""

from pipeline.claims.finding import Curve, Measured
from pipeline.claims.lab import Lab, read_fine_tuned
from pipeline.stages.klue.experiment import load_tasks

NAMES = {"pretrained": "linear head", "language": "words", "joint": "words, one model for all"}


def measure(lab: Lab) -> Measured:
    """Fine-tune every head on every task."""
    settings, stage = lab.fine_tune_all_heads()
    panels = []
    differences = []
    for task in sorted(load_tasks(settings), key=lambda task: len(task.words)):
        found = {arm: read_fine_tuned(stage.path, settings, task, arm) for arm in NAMES}
        points = [found[arm].at(name) for arm, name in NAMES.items()]
        count = f"{len(task.words)} words"
        panels.append(found["pretrained"].panel([Curve(name=count, points=points)]))
        for arm in ("language", "joint"):
            what = f"{NAMES[arm]}, less the linear head ({count})"
            differences.append(found[arm].less(found["pretrained"], what))
    return Measured(
        name="labels",
        claim="A label is language, too: a model that writes it does as well as one with a head.",
        source="Radford et al. 2019 (GPT-2), section 2; Raffel et al. 2020 (T5), section 2",
        axis="how the label is given",
        panels=panels,
        differences=differences,
        remark="The panels go from few words to many. Of STS the words are its degrees. Where no "
        "difference is shown, the interval says how large one might be.",
    )
