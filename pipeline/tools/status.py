"""`make status`: stages, their keys, why each is stale, disk used."""

from pathlib import Path
from typing import Any

from pipeline import cli_options
from pipeline.artifacts import store
from pipeline.artifacts.manifest import Origin
from pipeline.launch import read_preset
from pipeline.presets import Preset
from pipeline.stages.stage import STAGES, inputs_of, locate


def status(
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
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Stages, their keys, why each is stale, disk used."""
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
    print(f"{'stage':<10} {'key':<17} {'state':<10} {'size':>9}  why")
    for name in STAGES:
        print(describe(name, typed, data, artifacts))
    unfinished = megabytes(*artifacts.glob("*/*.partial"))
    print(
        f"\ndisk used by {artifacts}: {megabytes(artifacts)}, of it unfinished work {unfinished} "
        "(make clean removes that)"
    )


def describe(name: str, preset: Preset, data: Path | None, root: Path) -> str:
    """One stage's line."""
    location = locate(name, preset, data, root)
    key = location.key if location else "-"
    # None where the preset has no link yet.
    current = store.find(root, name, (root / preset.name / name).resolve().name)
    size = ""
    why = ""
    if location is None:
        state = "waiting"
        why = f"needs {' and '.join(inputs_of(name, preset))} first"
    elif finished := store.find(root, name, key):
        state = "built"
        size = megabytes(finished.path)
    else:
        partial = root / name / f"{key}.partial"
        state = "to build"
        if partial.is_dir():
            state = "unfinished"
            size = megabytes(partial)
        why = "never built"
        if current:
            why = "; ".join(differences(location.origin, current.manifest))
    return f"{name:<10} {key:<17} {state:<10} {size:>9}  {why}".rstrip()


def differences(origin: Origin, manifest: dict[str, Any]) -> list[str]:
    """What makes a stage's key another than that of the artifact at hand."""
    settings_before = {"stage version": manifest["version"], **manifest["settings"]}
    settings_now = {"stage version": origin.version, **origin.settings}
    inputs_before = {**manifest["inputs"], "raw input files": manifest["raw_files"]}
    inputs_now = {**origin.inputs, "raw input files": origin.raw_files}
    values = [
        f"{name}: {settings_before.get(name)} -> {settings_now.get(name)}"
        for name in changed_names(settings_before, settings_now)
    ]
    return values + [f"{name} changed" for name in changed_names(inputs_before, inputs_now)]


def changed_names(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Names of values that are others now, or stand in one of the two only."""
    return [name for name in before | now if before.get(name) != now.get(name)]


def megabytes(*folders: Path) -> str:
    """The disk that these folders use."""
    paths = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    ]
    return f"{sum(path.stat().st_size for path in paths) / 1e6:,.1f} MB"
