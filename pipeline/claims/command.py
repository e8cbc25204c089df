"""`make claim CLAIM=name`: which claims there are, and how one is measured. Each is a file beside
this one."""

import importlib
from pathlib import Path
from typing import Any

from corpora.errors import UserError, require
from corpora.settings import nearest
from corpora.tasks.rows import is_sample, load_task
from pipeline import cli_options
from pipeline.launch import context_on, read_preset
from pipeline.presets import Preset
from pipeline.stages.stage import find_finished

CLAIMS = {
    "layers": "GPT-1: what is transferred helps, beyond the embeddings",
    "auxiliary": "GPT-1: the language model's loss beside the task's helps",
    "steps": "GPT-1: zero-shot scores grow with pretraining",
    "other-tasks": "GPT-2: a model that is fine-tuned on one task can't do another",
    "labels": "GPT-2: a label is language, too",
    "both-ways": "BERT: reading both ways helps; a GPT can learn it and still write",
    "shots": "GPT-3: examples in the prompt help, the more the larger the model",
}
"""What can be measured, in the order of the papers."""
SEVERAL_MODELS = ("both-ways", "shots")
ALSO_OF_BERT = ("layers", "both-ways")


def claim(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    recipe: cli_options.Recipe = None,
    data: cli_options.Data = None,
    klue: cli_options.Klue = None,
    tasks: cli_options.Tasks = None,
    init: cli_options.Init = None,
    model: cli_options.Model = None,
    seeds: cli_options.Seeds = None,
    control: cli_options.Control = None,
    claim: cli_options.Claim = None,
    device: cli_options.DeviceName = cli_options.Device.auto,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Measure what is said of the GPTs: CLAIM=layers; without it, which claims there are."""
    if claim is None:
        for name, text in CLAIMS.items():
            print(f"CLAIM={name:12} {text}")
        return
    typed = read_preset(
        preset,
        overrides,
        recipe=recipe,
        klue=klue,
        tasks=tasks,
        init=init,
        model=model,
        seeds=seeds,
        control=control,
    )
    check_claim(claim, typed)
    context = context_on(device, data)
    # Not above: the other commands of the command line do without torch.
    from pipeline.claims.finding import write_measured
    from pipeline.claims.lab import Lab

    module = importlib.import_module(f"pipeline.claims.{claim.replace('-', '_')}")
    lab = Lab(typed, artifacts, data, lambda: context)
    measured = module.measure(lab)
    page = write_measured(
        artifacts / typed.name / "claims", measured, about(typed, data, artifacts)
    )
    print(f"\n{page.read_text(encoding='utf-8')}\nclaim: {page}   next: make claim")


def about(preset: Preset, data: Path | None, artifacts: Path) -> dict[str, Any]:
    """What a claim is measured with: the preset's model, if it is built, and the settings."""
    own = find_finished("pretrain", preset, data, artifacts)
    all_own = all(load_task(name).is_own for name in preset.klue.tasks)
    stages = ("pretrain", "klue", "prompt")
    return {
        "preset": preset.name,
        "model": own.path.name if own else None,
        "sample": is_sample(preset.klue.data) and not all_own,
        "settings": {stage: getattr(preset, stage).model_dump(mode="json") for stage in stages},
    }


def check_claim(name: str, preset: Preset) -> None:
    """Raise UserError for a claim that isn't known, or that can't be measured on the preset."""
    if name not in CLAIMS:
        raise UserError(f"claim: {name!r} is none of {', '.join(CLAIMS)}.{nearest(name, CLAIMS)}")
    title = f"claim {name}"
    for settings, where in ((preset.klue, "klue"), (preset.prompt, "prompt")):
        require(
            not settings.model,
            f"{title}: is measured on the preset's own model, not on {where}.model="
            f"{settings.model}.",
        )
    pretraining = preset.pretrain
    require(
        not (pretraining.init and name in SEVERAL_MODELS),
        f"{title}: several models are pretrained for it, which can't all continue "
        f"{pretraining.init}.",
    )
    require(
        pretraining.architecture != "bert" or name in ALSO_OF_BERT,
        f"{title}: is one of causal models, not of pretrain.architecture=bert.",
    )
    require(
        name != "steps" or pretraining.snapshots,
        f"{title}: no model is kept on the way: pretrain with pretrain.snapshots=4, or as many as "
        "you like.",
    )
