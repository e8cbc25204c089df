"""The table of stages: versions, what each reads, how its key is made, and how it is run.

Only settings and the standard library are imported here, so that an up-to-date stage returns at
once."""

import importlib
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import corpora
from corpora.errors import UserError, require
from corpora.recipe import RECIPES, load_recipe
from corpora.settings import find_named_file
from corpora.sources import shards
from corpora.tasks import rows
from corpora.tasks.task import SPLITS
from pipeline.artifacts import store
from pipeline.artifacts.digests import RawFiles, digest_of, digest_raw_files
from pipeline.artifacts.manifest import Origin
from pipeline.artifacts.store import Artifact
from pipeline.evaluation_settings import KlueSettings, PromptSettings, task_name
from pipeline.executors import Context
from pipeline.models.folder import model_files
from pipeline.presets import Preset
from pipeline.torchrun import is_helper, num_processes, tell, wait_for_work

CORPORA = Path(corpora.__file__).parent
PROMPTS = CORPORA / "tasks" / "prompts.toml"
TASKS_TABLE = CORPORA / "tasks" / "klue.toml"


class Stage(NamedTuple):
    """What a key is made from, apart from the settings."""

    version: int  # raised when the code changes what the stage writes
    inputs: tuple[str, ...]  # stages whose artifacts it reads
    files: Callable[[Preset, Path | None], RawFiles]  # raw, which count by content
    sharded: bool = False  # whether jobs of an array can share its work


class Location(NamedTuple):
    """Where a stage's artifact is or will be."""

    key: str
    origin: Origin
    inputs: dict[str, Artifact]


def corpus_files(preset: Preset, data: Path | None) -> RawFiles:
    """The recipe, the tables that cleaning reads, and the recipe's own files."""
    name = preset.corpus.recipe
    # Anyone may edit the tables' rows, so they count by content.
    tables = (CORPORA / "cleaning" / "cleanups.toml", TASKS_TABLE, CORPORA / "personal_data.toml")
    return [
        ("recipe", find_named_file("recipe", name, RECIPES)),
        *((path.name, path) for path in tables),
        *shards.input_files(load_recipe(name), data),
    ]


def klue_files(preset: Preset, data: Path | None) -> RawFiles:
    """What fine-tuning reads beside the model."""
    needs_prompts = preset.klue.head != ("linear",)
    prompts = [(PROMPTS.name, PROMPTS)] if needs_prompts else []
    return prompts + evaluation_files(preset.klue)


def prompt_files(preset: Preset, data: Path | None) -> RawFiles:
    """What is asked without training."""
    return [(PROMPTS.name, PROMPTS), *evaluation_files(preset.prompt)]


def evaluation_files(settings: KlueSettings | PromptSettings) -> RawFiles:
    """The tasks' table, their rows, and a model that was named."""
    of_tasks = [
        (f"{task_name(task)}/{path.name}", path)
        for task in settings.tasks
        for path in rows.input_files(settings.data, (task,))
    ]
    return [(TASKS_TABLE.name, TASKS_TABLE), *of_tasks, *model_files(settings.model)]


STAGES = {
    "corpus": Stage(5, (), corpus_files, sharded=True),
    "tokenizer": Stage(
        3, ("corpus",), lambda preset, data: model_files(preset.tokenizer.init, weights=False)
    ),
    "tokens": Stage(3, ("corpus", "tokenizer"), lambda preset, data: [], sharded=True),
    "pretrain": Stage(
        5, ("tokens", "tokenizer"), lambda preset, data: model_files(preset.pretrain.init)
    ),
    "klue": Stage(8, ("pretrain",), klue_files, sharded=True),
    "prompt": Stage(3, ("pretrain",), prompt_files),
}
TARGETS = {"klue": "klue-eval", "prompt": "klue-prompt"}
"""Where a Make target isn't named like its stage."""


def inputs_of(name: str, preset: Preset) -> tuple[str, ...]:
    """Stages that `name` reads under these settings: a model given by name needs no pretraining."""
    if (name == "klue" and preset.klue.model) or (name == "prompt" and preset.prompt.model):
        return ()
    return STAGES[name].inputs


def locate(name: str, preset: Preset, data: Path | None, root: Path) -> Location | None:
    """Return a stage's key, what it's made from, and its input artifacts; None while one of these
    isn't built."""
    inputs: dict[str, Artifact] = {}
    for upstream in inputs_of(name, preset):
        found = find_finished(upstream, preset, data, root)
        if found is None:
            return None
        inputs[upstream] = found
    stage = STAGES[name]
    origin = Origin(
        stage.version,
        dict(preset)[name].keyed(),
        {upstream: found.manifest["digest"] for upstream, found in inputs.items()},
        digest_raw_files(stage.files(preset, data), root),
    )
    return Location(digest_of([name, origin._asdict()])[:16], origin, inputs)


def find_finished(name: str, preset: Preset, data: Path | None, root: Path) -> Artifact | None:
    """Return a stage's artifact of these settings, or None while it isn't built."""
    location = locate(name, preset, data, root)
    return location and store.find(root, name, location.key)


def check_inputs(preset: Preset, data: Path | None, root: Path) -> None:
    """Read what the klue stage will read besides artifacts, so that a fault in it is told before
    hours of work. Raises UserError."""
    klue_files(preset, data)
    if preset.klue.data == "hub":
        return
    if find_finished("klue", preset, data, root):
        return
    for name, split in product(preset.klue.tasks, SPLITS):
        rows.load_rows(preset.klue.data, rows.load_task(name), split)


def run_stage(
    name: str, preset: Preset, root: Path, data: Path | None, new_context: Callable[[], Context]
) -> Artifact:
    """Build a stage unless it's there already.

    Of several processes only the first one looks at the inputs, and comes back. The others help it
    if there is something to build, and end. Raises UserError when a stage before it is missing or
    out of date.
    """
    if is_helper():
        _help(name, preset, new_context)
    location = locate(name, preset, data, root)
    if location is None:
        raise UserError(
            f"{name}: the stages before it ({', '.join(inputs_of(name, preset))}) aren't all built "
            f"for these settings. `make {TARGETS.get(name, name)}` with the same variables builds "
            "what is missing."
        )
    if finished := store.find(root, name, location.key):
        print(f"{name}: up to date ({finished.path})")
    else:
        finished = _build(name, preset, root, location, new_context())
        print(f"{name}: done in {finished.manifest['seconds']:.0f} s, {finished.path}")
    tell(0)
    store.link(root, preset.name, finished, name)
    return finished


def _build(name: str, preset: Preset, root: Path, location: Location, context: Context) -> Artifact:
    key, origin, inputs = location
    is_job = context.shard is not None
    require(
        not is_job or STAGES[name].sharded,
        f"{name}: can't be shared by jobs: run it once, without SHARD=.",
    )
    require(
        name == "pretrain" or num_processes() == 1,
        f"{name}: runs in one process of torchrun's; several are for pretrain.",
    )
    # Of an array's jobs the merge does it, once. What a damaged model predicts would stay.
    if not is_job or name == "klue":
        for found in inputs.values():
            found.verify()
    settings = dict(preset)[name]
    stage = importlib.import_module(f"pipeline.stages.{name}")
    paths = {upstream: found.path for upstream, found in inputs.items()}

    def run(folder: Path) -> dict[str, Any]:
        tell({"folder": str(folder), "inputs": {each: str(path) for each, path in paths.items()}})
        return stage.run(settings, paths, folder, context)

    return store.build(root, name, key, origin, run, shared=is_job)


def _help(name: str, preset: Preset, new_context: Callable[[], Context]) -> NoReturn:
    """Do another process's part of what the first one builds, and end."""
    work = wait_for_work()
    paths = {upstream: Path(path) for upstream, path in work["inputs"].items()}
    stage = importlib.import_module(f"pipeline.stages.{name}")
    stage.run(dict(preset)[name], paths, Path(work["folder"]), new_context())
    raise RuntimeError(f"{name}: this process should have ended with its part of the work")
