"""`make claim CLAIM=name`: which claims there are, and how one is measured. Each is a file beside
this one."""

import importlib

from corpora.errors import UserError
from corpora.settings import nearest
from corpora.tasks.rows import is_sample
from pipeline import cli_options
from pipeline.launch import context_on, read_preset

CLAIMS = {
    "layers": "GPT-1: every layer that is transferred helps",
    "auxiliary": "GPT-1: the language model's loss beside the task's helps",
    "steps": "GPT-1: zero-shot scores grow with pretraining",
    "other-tasks": "GPT-2: a model that is fine-tuned on one task can't do another",
    "labels": "GPT-2: a label is language, too",
    "shots": "GPT-3: examples in the prompt help, the more the larger the model",
}
"""What can be measured, in the order of the papers."""


def claim(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    recipe: cli_options.Recipe = None,
    data: cli_options.Data = None,
    klue: cli_options.Klue = None,
    tasks: cli_options.Tasks = None,
    init: cli_options.Init = None,
    seeds: cli_options.Seeds = None,
    claim: cli_options.Claim = None,
    device: cli_options.DeviceName = cli_options.Device.auto,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Measure what is said of the GPTs: CLAIM=layers; without it, which claims there are."""
    if claim is None:
        for name, text in CLAIMS.items():
            print(f"CLAIM={name:12} {text}")
        return
    check_claim(claim)
    typed = read_preset(
        preset, overrides, recipe=recipe, klue=klue, tasks=tasks, init=init, seeds=seeds
    )
    context = context_on(device, data)
    # Not above: the other commands of the command line do without torch.
    from pipeline.claims.finding import write_measured
    from pipeline.claims.lab import Lab

    module = importlib.import_module(f"pipeline.claims.{claim.replace('-', '_')}")
    lab = Lab(typed, artifacts, data, lambda: context)
    measured = module.measure(lab)
    all_own = all(task.is_own for task in lab.tasks(typed.klue))
    about = {
        "preset": typed.name,
        "sample": is_sample(typed.klue.data) and not all_own,
        "settings": {
            "klue": typed.klue.model_dump(mode="json"),
            "prompt": typed.prompt.model_dump(mode="json"),
        },
    }
    page = write_measured(artifacts / typed.name / "claims", measured, about)
    print(f"\n{page.read_text(encoding='utf-8')}\nclaim: {page}   next: make claim")


def check_claim(name: str) -> None:
    """Raise UserError for a claim that isn't known, and name the nearest one."""
    if name not in CLAIMS:
        raise UserError(f"claim: {name!r} is none of {', '.join(CLAIMS)}.{nearest(name, CLAIMS)}")
