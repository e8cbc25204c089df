"""Pretraining on the preset's tokens, beside nanoGPT's train.py (PEERS=folder with nanoGPT in it)
and a plain transformers loop: tokens/s in turns, then the bits per byte that each reaches in its
time. All see the same tokens with the same model size; this project's sequences are short at first,
as in the preset.

Every time is a process's, from its start to its last step: imports and compilation count, with
empty compiler caches. (A contender's later turns, of which only the steps are timed, find its cache
filled.) Peers run in fp32 (nanoGPT, as its README has it on a CPU) and bf16, with rates that were
best for runs of this length (see pipeline/RESULTS.md)."""

import importlib.util
import json
import math
import os
import pickle
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import GPT2LMHeadModel
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from corpora.errors import UserError
from pipeline.artifacts.store import find_linked
from pipeline.presets import Preset
from pipeline.settings import PretrainSettings
from pipeline.training.batches import TokenStream, validation_batches
from pipeline.training.device import has_bf16
from tests.bench.child import running

TURNS = 7
TURN_STEPS = 30
NUM_SLOW_STEPS = 3  # at the beginning
OURS = "this project"
NANO_GPT = "nanoGPT, fp32, compiled"
TRANSFORMERS = "transformers, AdamW, bf16, compiled"
MINUTES = {OURS: (1.5, 3), NANO_GPT: (15,), TRANSFORMERS: (6,)}
"""This project's are a tenth and a fifth of nanoGPT's, a quarter and a half of plain
transformers'."""
RATE = 2e-3  # of both peers
WARMUP_SHARE = 0.1
SHORT_SHARE = 1 / 3  # of this project's steps, as in the preset
ALLOCATOR = ("MALLOC_", "GLIBC_")  # what `make` sets for this project only
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(ALLOCATOR)}
A_STEP = re.compile(r"^iter \d+:|^step \d+ ")

Environment = dict[str, str]
Child = AbstractContextManager[subprocess.Popen[str]]
LogitsOf = Callable[[torch.Tensor], torch.Tensor]
"""Logits (B, T, V) of ids (B, T)."""


@dataclass
class Contender:
    """A way to train."""

    name: str
    tokens_per_step: int
    start: Callable[[int, Path, Environment], Child]
    """A process that trains so many steps into a folder, and prints a line for each."""
    load: Callable[[Path], LogitsOf]
    """The model that it left in the folder."""

    def run(self, steps: int, folder: Path, cache: Path) -> list[float]:
        """Seconds from the process's start at which each step was done; `cache` is the
        compiler's."""
        folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        done = []
        last_line = ""
        environment = {"TORCHINDUCTOR_CACHE_DIR": str(cache)}
        with self.start(steps, folder, environment) as process:
            assert process.stdout
            for line in process.stdout:
                if A_STEP.search(line):
                    done.append(time.monotonic() - began)
                last_line = line.strip() or last_line
            if process.wait():
                raise UserError(f"{self.name} failed: {last_line}")
        return done[-steps:]


def bench(preset: Preset, artifacts: Path, peers: Path | None) -> None:
    disable_progress_bar()
    set_verbosity_error()  # that full sequences come without a mask
    settings = preset.pretrain
    tokens = find_linked(artifacts, preset.name, "tokens").path.resolve()
    inputs = [
        find_linked(artifacts, preset.name, stage).path.resolve()
        for stage in ("corpus", "tokens", "tokenizer")
    ]
    contenders = [ours(settings, inputs), plain_transformers(settings, tokens)]
    if peers and (peers / "nanoGPT/train.py").exists():
        contenders.insert(1, nano_gpt(settings, tokens, (peers / "nanoGPT").resolve()))
    else:
        print("nanoGPT: not measured: PEERS= names no folder that holds it")
    print(
        f"\n{settings.layers} layers, width {settings.width}, T={settings.context}, "
        f"{torch.get_num_threads()} threads; {TURNS} turns of {TURN_STEPS} steps"
    )
    with tempfile.TemporaryDirectory() as folder:
        speeds, waits = measure_speeds(contenders, Path(folder))
        measure_quality(contenders, Path(folder), speeds, waits, tokens, settings.context)


def measure_speeds(
    contenders: list[Contender], folder: Path
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Tokens/s of each turn, and seconds before the first step, of each contender."""
    speeds: dict[str, list[float]] = {each.name: [] for each in contenders}
    waits: dict[str, float] = {}
    for turn in range(TURNS):
        for number, each in enumerate(contenders):
            out = folder / f"{each.name}-{turn}"
            cache = folder / f"cache-{number}"  # g++ stumbles over a space in its path
            done = each.run(TURN_STEPS, out, cache)
            step_seconds = statistics.median(np.diff(done)[NUM_SLOW_STEPS:])
            speeds[each.name].append(each.tokens_per_step / step_seconds)
            waits.setdefault(each.name, done[0] - step_seconds)
    print("\n| | tokens/s | seconds before the first step | this project's ratio |")
    print("|---|---|---|---|")
    for name, values in speeds.items():
        ratios = [mine / theirs for mine, theirs in zip(speeds[OURS], values)]
        print(f"| {name} | {spread(values, 0)} | {waits[name]:.0f} | {spread(ratios, 2)} |")
    return speeds, waits


def measure_quality(
    contenders: list[Contender],
    folder: Path,
    speeds: dict[str, list[float]],
    waits: dict[str, float],
    tokens: Path,
    context: int,
) -> None:
    """Bits per byte after as many steps as each can do in its time, or in each of its times."""
    print("\n| | seconds | steps x tokens | bits per byte |\n|---|---|---|---|", flush=True)
    runs = [(each, minutes) for each in contenders for minutes in MINUTES[each.name]]
    for number, (each, minutes) in enumerate(runs):
        seconds = 60 * minutes - waits[each.name]
        speed = statistics.median(speeds[each.name])
        steps = max(1, int(seconds * speed / each.tokens_per_step))
        out = folder / f"{each.name}-long-{number}"
        done = each.run(steps, out, folder / f"long-cache-{number}")
        score = bits_per_byte(each.load(out), tokens, context)
        print(
            f"| {each.name} | {done[-1]:.0f} | {steps} x {each.tokens_per_step} | {score:.4f} |",
            flush=True,
        )


def spread(values: list[float], digits: int) -> str:
    median = statistics.median(values)
    return f"{median:,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def launch(command: list, folder: Path, environment: Environment) -> Child:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return running(command, cwd=folder, env=environment, **pipes)


def num_warmup(steps: int) -> int:
    return int(WARMUP_SHARE * steps)


def ours(settings: PretrainSettings, inputs: list[Path]) -> Contender:
    def start(steps: int, folder: Path, environment: Environment) -> Child:
        changes = {
            "steps": steps,
            "warmup_steps": max(1, num_warmup(steps)),
            "validations": 1,
            "log_every": 1,
            # All are scored on windows that go on over documents' ends, so all are trained on such.
            "document_masking": False,
            "short_steps": int(SHORT_SHARE * steps),
        }
        chosen = settings.model_copy(update=changes).model_dump_json()
        program = [sys.executable, "-m", "tests.bench.train_ours"]
        arguments = [*inputs, folder.resolve(), chosen]
        return launch([*program, *arguments], Path.cwd(), os.environ | environment)

    return Contender(OURS, settings.batch_size * settings.context, start, load_stock)


def plain_transformers(settings: PretrainSettings, tokens: Path) -> Contender:
    def start(steps: int, folder: Path, environment: Environment) -> Child:
        options = {
            "layers": settings.layers,
            "width": settings.width,
            "heads": settings.heads,
            "context": settings.context,
            "batch": settings.batch_size,
            "steps": steps,
            "warmup": num_warmup(steps),
            "rate": RATE,
            "bf16": int(has_bf16("cpu")),
        }
        program = [sys.executable, "-m", "tests.bench.plain_hf", tokens, folder.resolve()]
        words = [f"{key}={value}" for key, value in options.items()]
        return launch([*program, *words], Path.cwd(), PLAIN | environment)

    return Contender(TRANSFORMERS, settings.batch_size * settings.context, start, load_stock)


def nano_gpt(settings: PretrainSettings, tokens: Path, source: Path) -> Contender:
    write_nano_gpt_data(tokens, source / "data" / "pipeline")

    def start(steps: int, folder: Path, environment: Environment) -> Child:
        options = {
            "dataset": "pipeline",
            "device": "cpu",
            "dtype": "float32",
            "compile": True,
            "n_layer": settings.layers,
            "n_head": settings.heads,
            "n_embd": settings.width,
            "block_size": settings.context,
            "batch_size": settings.batch_size,
            "gradient_accumulation_steps": 1,
            "max_iters": steps,
            "lr_decay_iters": steps,
            "learning_rate": RATE,
            "min_lr": RATE / 10,
            "warmup_iters": num_warmup(steps),
            "eval_interval": steps,
            "eval_iters": 1,
            "log_interval": 1,
            "out_dir": folder,
        }
        words = [f"--{key}={value}" for key, value in options.items()]
        program = [sys.executable, "-u", "train.py"]
        return launch([*program, *words], source, PLAIN | environment)

    def load(folder: Path) -> LogitsOf:
        spec = importlib.util.spec_from_file_location("nano_gpt_model", source / "model.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        saved = torch.load(folder / "ckpt.pt", weights_only=True)
        model = module.GPT(module.GPTConfig(**saved["model_args"]))
        weights = saved["model"].items()
        model.load_state_dict({name.removeprefix("_orig_mod."): each for name, each in weights})
        return lambda ids_BT: model(ids_BT, ids_BT)[0]  # without targets only the last logits come

    return Contender(NANO_GPT, settings.batch_size * settings.context, start, load)


def write_nano_gpt_data(tokens: Path, folder: Path) -> None:
    """The tokens in nanoGPT's own format."""
    folder.mkdir(exist_ok=True)
    index = json.loads((tokens / "index.json").read_text())
    if index["dtype"] != "uint16":
        raise UserError("nanoGPT reads 16-bit tokens: choose a vocabulary of at most 65,536.")
    for split, name in (("train", "train.bin"), ("validation", "val.bin")):
        np.concatenate(TokenStream(tokens, split).shards).tofile(folder / name)
    (folder / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": index["vocab_size"]}))


def load_stock(folder: Path) -> LogitsOf:
    model = GPT2LMHeadModel.from_pretrained(folder)
    return lambda ids_BT: model(ids_BT).logits


@torch.no_grad()
def bits_per_byte(logits_of: LogitsOf, tokens: Path, context: int) -> float:
    """Of all validation text, in fp32, for every contender in the same windows."""
    stream = TokenStream(tokens, "validation")
    nats = 0.0
    for ids_BT in validation_batches(stream, context, batch_size=16):
        logits_NV = logits_of(ids_BT[:, :-1].clamp(min=0)).flatten(0, 1)
        targets_N = ids_BT[:, 1:].flatten()
        loss = functional.cross_entropy(logits_NV, targets_N, ignore_index=-100, reduction="sum")
        nats += loss.item()
    return nats / math.log(2) / stream.num_bytes
