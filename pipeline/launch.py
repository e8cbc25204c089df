"""How a command becomes a run: the preset with what was typed, how the stage runs, and what is said
when it's done. Which commands there are is cli.py's to say."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from corpora.errors import require
from pipeline.cli_options import Device, Engine
from pipeline.executors import Context
from pipeline.presets import Preset, load_preset
from pipeline.stages.stage import TARGETS, run_stage
from pipeline.torchrun import end_process

NEXT = {
    "corpus": "make tokenizer",
    "tokenizer": "make tokens",
    "tokens": "make pretrain",
    "pretrain": 'make klue-eval   (or: make generate PROMPT="대한민국은")',
    "klue": 'make predict TASK=ynat TEXT="..."   (or: make klue-prompt, make report)',
    "prompt": "make report",
}
"""What a stage names as the next command."""

ANOTHER_WAY_TO_WRITE = {
    "recipe": ("corpus.recipe",),
    "klue": ("klue.data", "prompt.data"),
    "tasks": ("klue.tasks", "prompt.tasks"),
    "init": ("tokenizer.init", "pretrain.init"),
    "model": ("klue.model", "prompt.model"),
    "seeds": ("klue.seeds", "prompt.seeds"),
    "control": ("klue.control",),
}
"""Options that are short for settings."""


def read_preset(name: str, typed: list[str] | None, **options: str | None) -> Preset:
    """The preset with what was typed: `typed` key=value texts take precedence over `options`."""
    overrides = {
        key: value
        for option_name, value in options.items()
        if value is not None
        for key in ANOTHER_WAY_TO_WRITE[option_name]
    }
    for text in typed or ():
        key, equals, value = text.partition("=")
        require(equals, f"{text}: settings are written key=value, such as pretrain.steps=200.")
        overrides[key] = value
    return load_preset(name, overrides)


def run_and_report(
    stage: str,
    preset: Preset,
    artifacts: Path,
    data: Path | None,
    new_context: Callable[[], Context],
) -> None:
    """Run one stage; say what it made and what comes next."""
    # As Ctrl-C: finished work is kept, pools end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    finished = run_stage(stage, preset, artifacts, data, new_context)
    if stage in TARGETS:
        print("\n" + (finished.path / "table.md").read_text(encoding="utf-8"))
    is_bert = stage == "pretrain" and preset.pretrain.architecture == "bert"
    next_command = "make klue-eval" if is_bert else NEXT[stage]  # a BERT can't go on from a text
    print(f"{stage}: {artifacts / preset.name / stage}   next: {next_command}")
    if "WORLD_SIZE" in os.environ and "torch" in sys.modules:
        end_process()


def run_mapped(
    stage: str,
    preset: Preset,
    artifacts: Path,
    data: Path | None,
    workers: int | None,
    engine: Engine = Engine.pool,
    shard: tuple[int, int] | None = None,
    merge: bool = False,
) -> None:
    """Run a stage whose work is one function over many shards, by default in one process a core."""
    on_ray = engine is Engine.ray
    if on_ray:  # its workers may stand in another folder
        artifacts = artifacts.absolute()
        data = data and data.absolute()
    require(workers is None or workers > 0, f"WORKERS={workers}: has to be at least 1.")
    num_workers = workers or os.cpu_count() or 1
    context = Context("cpu", data, num_workers, on_ray, shard, merge)
    run_and_report(stage, preset, artifacts, data, lambda: context)


def context_on(device: Device, data: Path | None) -> Context:
    """The context of a stage that runs a model, whose device is resolved only now: the other stages
    needn't import torch for it."""
    # transformers reads them at import. A classifier's head is always new, and a causal model gets
    # no mask.
    os.environ |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    from pipeline.training.device import require_gpus, resolve_device

    found = resolve_device(device)
    if device is not Device.cpu and found != "mps":
        require_gpus(int(os.environ.get("LOCAL_WORLD_SIZE", "0")))  # torchrun's on this machine
    return Context(found, data)


def context_of_runs(
    device: Device,
    data: Path | None,
    gpus: int | None,
    workers: int | None,
    engine: Engine,
    shard: tuple[int, int] | None,
    merge: bool,
) -> Context:
    """The context of a stage of many fine-tuning runs: by default one after the other, else each
    on a GPU of its own, or with a share of the cores.

    A share is all threads that torch would use by the number of runs at once, or OMP_NUM_THREADS.
    Raises UserError for GPUs that aren't there.
    """
    require(workers is None or workers > 0, f"WORKERS={workers}: has to be at least 1.")
    on_ray = engine is Engine.ray
    found = context_on(device, data).device
    if gpus and device is not Device.cpu:
        if on_ray and "RAY_ADDRESS" in os.environ:
            found = "cuda"  # the cluster says whether it has them
        else:
            from pipeline.training.device import require_gpus

            require_gpus(gpus)
    on_cpu = found == "cpu"
    at_once = gpus or (workers if on_cpu else None) or 1
    threads = None
    if at_once > 1 or on_ray:
        import torch

        all_threads = torch.get_num_threads() if on_cpu else 1
        shared = 1 if "OMP_NUM_THREADS" in os.environ else at_once
        threads = max(1, all_threads // shared)
    return Context(found, data, at_once, on_ray, shard, merge, threads)
