"""Artifacts of a run that never was, with figures whose place on a page can be told."""

import json
from pathlib import Path
from typing import Any

from pipeline.artifacts.store import Artifact
from pipeline.presets import Preset, load_preset

STAGE_INPUTS = {
    "corpus": (),
    "tokenizer": ("corpus",),
    "tokens": ("corpus", "tokenizer"),
    "pretrain": ("tokens", "tokenizer"),
    "klue": ("pretrain",),
}


def make_artifact(
    root: Path, stage: str, settings: dict[str, Any], files: dict[str, Any]
) -> Artifact:
    """One stage's artifact: its content is its name."""
    path = root / stage
    path.mkdir(parents=True)
    for name, value in files.items():
        (path / name).parent.mkdir(exist_ok=True)
        text = value if isinstance(value, str) else json.dumps(value)
        (path / name).write_text(text, encoding="utf-8")
    manifest = {
        "settings": settings,
        "inputs": {name: f"digest of {name}" for name in STAGE_INPUTS[stage]},
        "digest": f"digest of {stage}",
        "seconds": 1234.5,
        "continued": False,
        "peak_memory_mb": 1500,
        "versions": {"python": "3.11"},
        "counts": {},
    }
    return Artifact(path, manifest)


def make_recipe(*paths: str, evaluation: str = "hub") -> dict[str, Any]:
    """recipe.json of a corpus of these files."""
    return {
        "source": [{"kind": "files", "paths": list(paths)}],
        "evaluation": [{"data": evaluation}],
    }


def make_run(
    root: Path, overrides: dict[str, str], klue_data: str = "hub"
) -> tuple[Preset, dict[str, Artifact]]:
    """The laptop preset, and the artifacts of a run of it with other settings."""
    typed = load_preset("laptop", overrides)
    made = {
        "corpus": make_artifact(
            root, "corpus", typed.corpus.keyed(), {"recipe.json": make_recipe("text/*.txt")}
        ),
        "tokenizer": make_artifact(root, "tokenizer", typed.tokenizer.keyed(), {}),
        "tokens": make_artifact(root, "tokens", {}, {}),
        "pretrain": make_artifact(root, "pretrain", typed.pretrain.keyed(), {}),
    }
    metrics = {"settings": {"data": klue_data, "seeds": 3}, "tasks": {}}
    files = {"metrics.json": metrics}
    made["klue"] = make_artifact(root, "klue", typed.klue.keyed(), files)
    return load_preset("laptop", {}), made
