"""`make scaling`: pretrain four sizes at three lengths on the preset's text, and fit the law that
`make plan` forecasts by. The fit itself is models/scaling_law.py."""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from pipeline import cli_options
from pipeline.artifacts.files import read_json, write_json
from pipeline.artifacts.store import Artifact, find_linked
from pipeline.launch import context_on, read_preset
from pipeline.presets import Preset
from pipeline.settings import PretrainSettings
from pipeline.stages.stage import find_finished, run_stage


class Size(NamedTuple):
    """A model's shape."""

    layers: int
    width: int
    heads: int


SIZES = (Size(2, 64, 1), Size(3, 96, 2), Size(4, 128, 2), Size(6, 192, 3))
STEP_SHARES = (1 / 30, 1 / 10, 3 / 10)
"""Of the preset's own steps."""
RUNS = "scaling.json"


def scaling(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    recipe: cli_options.Recipe = None,
    data: cli_options.Data = None,
    device: cli_options.DeviceName = cli_options.Device.auto,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Pretrain small models, and fit what plan forecasts by."""
    typed = read_preset(preset, overrides, recipe=recipe)
    # Not above: the other commands of the command line do without torch and scipy.
    from pipeline.models.scaling_law import NUM_RESAMPLES, Forecaster, read_runs
    from pipeline.reports.render import write_page

    totals = read_json(find_linked(artifacts, typed.name, "tokens").path / "index.json")["totals"]
    bytes_per_token = totals["train"]["bytes"] / totals["train"]["tokens"]
    rows = []
    for variant in variants_of(typed):
        finished = run_stage("pretrain", variant, artifacts, data, lambda: context_on(device, data))
        rows.append(as_row(variant.pretrain, finished, bytes_per_token))
    folder = artifacts / typed.name
    write_json(folder / RUNS, {"preset": typed.name, "runs": rows})
    forecaster = Forecaster(read_runs(folder / RUNS))
    own = find_finished("pretrain", typed, data, artifacts)
    checked = as_row(typed.pretrain, own, bytes_per_token) if own else None
    path = folder / "scaling.md"
    write_page(
        path,
        "scaling",
        preset=typed.name,
        rows=rows,
        checked=checked,
        law=forecaster.law,
        forecast=forecaster.forecast,
        num_resamples=NUM_RESAMPLES,
    )
    print(f"{path.read_text(encoding='utf-8')}\nscaling: {path}")


def variants_of(preset: Preset) -> Iterator[Preset]:
    """The preset at every size and length, under names of their own, so that its own links stay."""
    given = preset.pretrain
    for size, share in product(SIZES, STEP_SHARES):
        steps = max(1, round(share * given.steps))
        changes: dict[str, Any] = size._asdict() | {
            "steps": steps,
            "warmup_steps": round(steps * given.warmup_steps / given.steps),
            "short_steps": round(steps * given.short_steps / given.steps),
            "validations": 1,
            "snapshots": 0,
        }
        settings = PretrainSettings(**given.model_dump() | changes)
        name = f"{preset.name}-scaling/{size.layers}x{size.width}-{steps}"
        yield preset.model_copy(update={"name": name, "pretrain": settings})


def as_row(
    settings: PretrainSettings, finished: Artifact, bytes_per_token: float
) -> dict[str, Any]:
    """What the fit and the page need of a finished pretraining."""
    counts = finished.manifest["counts"]
    taken = {name: counts[name] for name in ("parameters", "tokens", "seconds", "bits_per_byte")}
    shape = {name: getattr(settings, name) for name in ("layers", "width", "steps")}
    return shape | taken | {"text": counts["tokens"] * bytes_per_token}
