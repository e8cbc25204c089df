"""The table of stages: versions, what each reads, and how its key is made. One module a stage lies beside it. Only the
standard library is imported here, so that an up-to-date stage returns at once."""
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import corpora.klue
import corpora.recipe
from corpora import named_file, require
from pipeline import artifact
from pipeline.artifact import Artifact
from pipeline.config import Preset, keyed
from pipeline.engine import Context
from pipeline.model_folder import model_files

Files = list[tuple[str, Path]]  # raw files and what they are to the stage: in another role a file is another input
PROMPTS = Path(__file__).parent.parent / "evaluation" / "prompts.toml"
TABLES: Files = [(path.name, path) for path in sorted(Path(corpora.__file__).parent.glob("*.toml"))]
"""Clean-ups, personal data, a recipe's defaults, KLUE's tasks: rows that anyone may edit, so they count by content."""


def corpus_files(settings, data: Path | None) -> Files:
    return [("recipe", named_file("recipe", settings.recipe, corpora.recipe.RECIPES)), *TABLES,
            *corpora.recipe.input_files(corpora.recipe.load_recipe(settings.recipe), data)]


def klue_files(settings, data: Path | None) -> Files:
    paths = corpora.klue.input_files(settings.data, settings.tasks)
    prompts = [("prompts.toml", PROMPTS)] if getattr(settings, "head", "") != "linear" else []
    return [*prompts, *(table for table in TABLES if table[0] == "klue.toml"),
            *((f"{path.parent.name}/{path.name}", path) for path in paths), *model_files(settings.model)]


class Stage(NamedTuple):
    """What a key is made from, apart from the settings."""
    version: int  # raised when the code changes what the stage writes
    inputs: tuple[str, ...]  # stages whose artifacts it reads
    files: Callable[[object, Path | None], Files] = lambda settings, data: []  # raw, which count by content
    sharded: bool = False  # whether jobs of an array can share its work


STAGES = {"corpus": Stage(4, (), corpus_files, sharded=True),
          "tokenizer": Stage(2, ("corpus",), lambda settings, data: model_files(settings.init)),
          "tokens": Stage(2, ("corpus", "tokenizer"), sharded=True),
          "pretrain": Stage(3, ("tokens", "tokenizer"), lambda settings, data: model_files(settings.init)),
          "klue": Stage(5, ("pretrain",), klue_files), "prompt": Stage(1, ("pretrain",), klue_files)}
TARGETS = {"klue": "klue-eval", "prompt": "klue-prompt"}  # where a Make target isn't named like its stage


def inputs_of(name: str, preset: Preset) -> tuple[str, ...]:
    """Stages that `name` reads under these settings: a model given by name needs no pretraining."""
    return () if name in TARGETS and preset[name].model else STAGES[name].inputs


def locate(name: str, preset: Preset, data: Path | None, root: Path) -> tuple[str | None, dict, dict[str, Artifact]]:
    """Key of a stage, what it's made from, and its input artifacts; the key is None while an input isn't built."""
    inputs = {}
    for upstream in inputs_of(name, preset):
        key, _, _ = locate(upstream, preset, data, root)
        if not (key and (found := artifact.find(root, upstream, key))):
            return None, {}, {}
        inputs[upstream] = found
    stage, settings = STAGES[name], preset[name]
    origin = {"version": stage.version, "settings": keyed(settings),
              "inputs": {upstream: found.manifest["digest"] for upstream, found in inputs.items()},
              "raw_files": artifact.digest_files(stage.files(settings, data), root)}
    return artifact.digest_of([name, origin])[:16], origin, inputs


def run_stage(name: str, preset: Preset, root: Path, data: Path | None, new_context: Callable[[], Context]) -> Artifact:
    """Build a stage unless it's there already; raises UserError when a stage before it is missing or out of date."""
    key, origin, inputs = locate(name, preset, data, root)
    require(key, f"{name}: the stages before it ({', '.join(inputs_of(name, preset))}) aren't all built for these "
                 f"settings. `make {TARGETS.get(name, name)}` with the same variables builds what is missing.")
    if finished := artifact.find(root, name, key):
        print(f"{name}: up to date ({finished.path})")
    else:
        context = new_context()
        require(not context.shard or STAGES[name].sharded,
                f"{name}: can't be shared by jobs: run it once, without SHARD=.")
        for found in () if context.shard else inputs.values():  # of an array's jobs the merge does it, once
            found.verify()
        module = importlib.import_module(f"pipeline.stages.{name}")
        paths = {upstream: found.path for upstream, found in inputs.items()}
        if os.environ.get("RANK", "0") != "0":  # torchrun's first process builds the artifact; the others help it
            module.run(preset[name], paths, root / name / f"{key}.partial", context)  # doesn't come back
        finished = artifact.build(root, name, key, origin, shared=context.shard is not None,
                                  run=lambda folder: module.run(preset[name], paths, folder, context))
        print(f"{name}: done in {finished.manifest['seconds']:.0f} s, {finished.path}")
    artifact.link(root, preset.name, finished, name)
    return finished
