"""The make command that gives what an artifact holds: the inverse of reading a preset and what was
typed (launch.py)."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.recipe import RECIPE_FILE
from pipeline.artifacts.files import read_json
from pipeline.artifacts.store import Artifact
from pipeline.launch import ANOTHER_WAY_TO_WRITE
from pipeline.presets import Preset
from pipeline.stages.stage import TARGETS

MAX_WIDTH = 100


def make_command(
    stage: str, typed_preset: str, preset: Preset, artifacts: Mapping[str, Artifact]
) -> str:
    """Return the command whose settings give `stage`.

    `artifacts` are {stage: its artifact}, of that stage and all that it was made from. Settings are
    named where they differ from the preset's. A setting that no key counts isn't recorded, except
    where KLUE's rows are.
    """
    changed = find_changed(preset, artifacts)
    words = [f"PRESET={shlex.quote(typed_preset)}", *take_short_forms(changed)]
    if "corpus" in artifacts and reads_data(artifacts["corpus"].path):
        words.append("DATA=folder")  # where the text lies is no part of an artifact
    command = f"make {TARGETS.get(stage, stage)} {' '.join(words)}"
    if not changed:
        return command
    texts = " ".join(f"{name}={shlex.quote(value)}" for name, value in changed.items())
    joint = " " if len(command) + len(texts) + len(' SET=""') <= MAX_WIDTH else " \\\n    "
    return f'{command}{joint}SET="{texts}"'


def find_changed(preset: Preset, artifacts: Mapping[str, Artifact]) -> dict[str, str]:
    """Settings of these artifacts that aren't the preset's, as texts: {"pretrain.steps": "200"}."""
    changed: dict[str, str] = {}
    for stage, artifact in artifacts.items():
        expected = dict(preset)[stage].model_dump(mode="json")
        for name, value in recorded_settings(artifact).items():
            # A name that is no setting any more can't be typed.
            if name in expected:
                changed |= compare(f"{stage}.{name}", expected[name], value)
    return changed


def recorded_settings(artifact: Artifact) -> dict[str, Any]:
    """What an artifact was made with: the settings in its manifest, and where KLUE's rows were."""
    settings = dict(artifact.manifest["settings"])
    metrics = artifact.path / "metrics.json"
    if metrics.exists():
        settings["data"] = read_json(metrics)["settings"]["data"]
    return settings


def compare(name: str, expected: Any, value: Any) -> dict[str, str]:
    """The setting as it is typed if it isn't what is expected; of a table what differs in it."""
    if isinstance(value, dict):
        changed: dict[str, str] = {}
        for key, each in value.items():
            changed |= compare(f"{name}.{key}", expected.get(key), each)
        return changed
    text = as_typed(value)
    return {} if text == as_typed(expected) else {name: text}


def as_typed(value: Any) -> str:
    """A setting's value as it is typed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return " ".join(str(each) for each in value)
    return str(value)


def take_short_forms(changed: dict[str, str]) -> list[str]:
    """Move settings that have a variable of their own, such as RECIPE=, out of `changed`.

    A variable that sets several of them serves where all that differ have one value.
    """
    words = []
    for option, names in ANOTHER_WAY_TO_WRITE.items():
        values = {changed[name] for name in names if name in changed}
        if len(values) == 1:
            words.append(f"{option.upper()}={shlex.quote(values.pop())}")
            for name in names:
                changed.pop(name, None)
    return words


def reads_data(corpus: Path) -> bool:
    """Whether a corpus was made of files under DATA=."""
    recipe = read_json(corpus / RECIPE_FILE)
    texts = [path for each in recipe["source"] if each["kind"] == "files" for path in each["paths"]]
    sets = [each["data"] for each in recipe["evaluation"] if each["data"] not in ("hub", "sample")]
    return not all(Path(path).is_absolute() for path in texts + sets)
