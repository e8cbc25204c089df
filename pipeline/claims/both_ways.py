"""Reading one way or both: a GPT, the same with hidden words in some of its steps, and a BERT, each
pretrained on the same text for as many steps and fine-tuned with the same linear heads."""

from typing import Any, NamedTuple

from pipeline.claims.finding import Curve, Measured, Scored
from pipeline.claims.lab import Lab, read_fine_tuned
from pipeline.stages.klue.experiment import load_tasks

SHARE = 0.25
"""Of the steps, in which hidden words are predicted (Charpentier and Samuel, 2024)."""
PRETRAININGS: dict[str, dict[str, Any]] = {
    "gpt": {"architecture": "gpt2", "masked_share": 0.0},
    "gpt-hidden": {"architecture": "gpt2", "masked_share": SHARE},
    "hidden": {"architecture": "gpt2", "masked_share": 1.0},
    "bert": {"architecture": "bert", "masked_share": 0.0},
}
GPT = "GPT"
MIXED = "GPT with hidden words, both ways"
BERT = "BERT"
TF_IDF = "TF-IDF"


class Reading(NamedTuple):
    """A way to pretrain, and one to read in fine-tuning."""

    name: str
    pretraining: str
    both_ways: bool = False  # as klue.both_ways: a BERT always does
    has_twin: bool = False  # its random twin is fine-tuned, too: one for each way to read


READINGS = (
    Reading(GPT, "gpt", has_twin=True),
    Reading("GPT, both ways", "gpt", both_ways=True),
    Reading("GPT with hidden words", "gpt-hidden"),
    Reading(MIXED, "gpt-hidden", both_ways=True, has_twin=True),
    Reading("hidden words alone, both ways", "hidden", both_ways=True),
    Reading(BERT, "bert", has_twin=True),
)


def measure(lab: Lab) -> Measured:
    """Pretrain and fine-tune what isn't there, and compare all with a GPT and with TF-IDF."""
    labs = {name: lab.pretrained(name, **changes) for name, changes in PRETRAININGS.items()}
    counts = {name: each.pretrain().manifest["counts"] for name, each in labs.items()}
    found: dict[str, dict[str, Scored]] = {}
    for reading in READINGS:
        for task, scored in fine_tune(labs[reading.pretraining], reading).items():
            found.setdefault(task, {}).update(scored)
    panels = []
    differences = []
    for of_task in found.values():
        points = [scored.at(name) for name, scored in of_task.items()]
        panels.append(of_task[GPT].panel([Curve(name="linear head", points=points)]))
        names = [reading.name for reading in READINGS]
        pairs = [(name, TF_IDF) for name in names]
        pairs += [(name, GPT) for name in names if name != GPT]
        for one, other in (*pairs, (MIXED, BERT)):
            differences.append(of_task[one].less(of_task[other], f"{one}, less {other}"))
    pure, mixed = (counts[name]["bits_per_byte"] for name in ("gpt", "gpt-hidden"))
    return Measured(
        name="both-ways",
        claim="Reading both ways helps, as in BERT; a GPT can learn it and still write.",
        source="Devlin et al. 2019 (BERT), section 5.1; Charpentier and Samuel 2024 (GPT-BERT)",
        axis="how it was pretrained, and how it reads",
        panels=panels,
        differences=differences,
        remark=f"Bits per byte of the validation text: {pure:.4f} by the GPT, {mixed:.4f} by the "
        "one with hidden words. A BERT's loss compares with neither.",
    )


def fine_tune(lab: Lab, reading: Reading) -> dict[str, dict[str, Scored]]:
    """What linear heads say of each task: the reading's own, its twin's if that is wanted, and
    beside the first one TF-IDF."""
    has_baselines = reading.name == GPT
    settings, stage = lab.fine_tune(
        "both-ways" if reading.both_ways else "as-it-is",
        both_ways=reading.both_ways,
        control=reading.has_twin,
        baselines=has_baselines,
    )
    arms = {"pretrained": reading.name}
    if reading.has_twin:
        arms["random"] = f"{reading.name}: not pretrained"
    if has_baselines:
        arms["tfidf"] = TF_IDF
    return {
        task.name: {
            name: read_fine_tuned(stage.path, settings, task, arm) for arm, name in arms.items()
        }
        for task in load_tasks(settings)
    }
