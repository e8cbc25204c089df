"""`make plan`: what a preset's pretraining will cost, before it starts. HARDWARE= names a GPU,
GPUS= how many. How the cost is found is training/probe.py's business."""

from pathlib import Path
from typing import Any

from pipeline import cli_options
from pipeline.artifacts.files import read_json
from pipeline.launch import read_preset
from pipeline.tools.scaling import RUNS

HOURS = (1, 8, 24)
"""For which the best size is reckoned."""


def plan(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    init: cli_options.Init = None,
    device: cli_options.DeviceName = cli_options.Device.auto,
    gpus: cli_options.Gpus = 1,
    hardware: cli_options.Hardware = None,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """What a preset will cost: parameters, tokens, FLOPs, memory, time."""
    typed = read_preset(preset, overrides, init=init)
    # Not above: the other commands of the command line do without torch.
    from pipeline.models.scaling_law import Forecaster, read_runs
    from pipeline.reports.render import write_page
    from pipeline.training.probe import UTILISATION, estimate

    estimated = estimate(typed, device, hardware, gpus)
    folder = artifacts / typed.name
    runs = folder / RUNS
    forecaster = Forecaster(read_runs(runs)) if runs.exists() else None
    path = folder / "plan.md"
    write_page(
        path,
        "plan",
        preset=typed.name,
        settings=typed.pretrain,
        corpus=training_text(folder / "tokens"),
        utilisation=UTILISATION,
        forecaster=forecaster,
        hours=HOURS,
        **estimated._asdict(),
    )
    print(f"{path.read_text(encoding='utf-8')}\nplan: {path}")


def training_text(tokens: Path) -> dict[str, Any] | None:
    """Tokens and bytes of the preset's training text, if it's there already."""
    index = tokens / "index.json"
    return read_json(index)["totals"]["train"] if index.exists() else None
