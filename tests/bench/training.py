"""Pretraining on the preset's tokens, beside nanoGPT's train.py (PEERS=folder with nanoGPT in it) and a plain transformers loop:
tokens/s in turns, then the bits per byte that each reaches in its time. All see the same tokens with the same model size.

Every time is a process's, from its start to its last step: imports and compilation count, with empty compiler caches. Peers run in
fp32 (nanoGPT, as its README has it on a CPU) and bf16, with rates that were best for runs of this length (see the README)."""
import importlib.util
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import GPT2LMHeadModel
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from corpora.errors import UserError
from pipeline import artifact
from pipeline.training.batches import TokenStream, validation_batches

TURNS, TURN_STEPS = 3, 14
MINUTES = 3  # of this project; the others get so many times as much:
TIMES = {"nanoGPT": 5, "transformers": 2}
RATES = {"nanoGPT": 2e-3, "transformers": 2e-3}
WARMUP_SHARE = 0.1
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}


class Contender:
    """A way to train: `start(steps, folder)` gives a process that prints or logs a line for each step, `score(folder)` its
    logits as a function of ids (B, T)."""

    def __init__(self, name: str, batch: int, start, score):
        self.name, self.batch, self.start, self.score = name, batch, start, score

    def run(self, steps: int, folder: Path) -> list[float]:
        """Seconds from the process's start at which each step was done."""
        folder.mkdir(parents=True, exist_ok=True)
        began, done, last = time.monotonic(), [], ""
        with tempfile.TemporaryDirectory() as cache:
            process = self.start(steps, folder, {"TORCHINDUCTOR_CACHE_DIR": cache})
            for line in process.stdout:
                if re.search(r"^iter \d+:|^step \d+ ", line):
                    done.append(time.monotonic() - began)
                last = line.strip() or last
            if process.wait():
                raise UserError(f"{self.name} failed: {last}")
        return done[-steps:]


def bench(arguments, preset, peers: Path | None) -> None:
    disable_progress_bar()
    set_verbosity_error()  # that full sequences come without a mask
    settings, root = preset["pretrain"], arguments.artifacts
    tokens = artifact.linked(root, preset.name, "tokens").path
    contenders = [ours(arguments, preset), plain_transformers(settings, tokens)]
    if peers and (peers / "nanoGPT/train.py").exists():
        contenders.insert(1, nano_gpt(settings, tokens, (peers / "nanoGPT").resolve()))
    else:
        print("nanoGPT: not measured: PEERS= names no folder that holds it")
    tokens_of = {each.name: each.batch * settings.context for each in contenders}
    with tempfile.TemporaryDirectory() as folder:
        speeds, waits = {each.name: [] for each in contenders}, {}
        for turn in range(TURNS):
            for each in contenders:
                done = each.run(TURN_STEPS, Path(folder) / f"{each.name}-{turn}")
                steps = np.diff(done)[3:]
                speeds[each.name].append(tokens_of[each.name] / statistics.median(steps))
                waits[each.name] = done[0] - statistics.median(steps)
        first = contenders[0].name
        print(f"\n{settings.layers} layers, width {settings.width}, T={settings.context}, {torch.get_num_threads()} threads; "
              f"{TURNS} turns of {TURN_STEPS} steps\n\n| | tokens/s | seconds before the first step | this project's ratio |\n|---|---|---|---|")
        for each in contenders:
            values = speeds[each.name]
            ratios = [mine / theirs for mine, theirs in zip(speeds[first], values)]
            print(f"| {each.name} | {spread(values, 0)} | {waits[each.name]:.0f} | {spread(ratios, 2)} |", flush=True)
        print("\n| | seconds | steps x tokens | bits per byte |\n|---|---|---|---|")
        for each in contenders:
            budget = 60 * MINUTES * TIMES.get(each.name.split(",")[0], 1)
            steps = int((budget - waits[each.name]) * statistics.median(speeds[each.name]) / tokens_of[each.name])
            done = each.run(steps, Path(folder) / f"{each.name}-long")
            score = bits_per_byte(each.score(Path(folder) / f"{each.name}-long"), tokens, settings.context)
            print(f"| {each.name} | {done[-1]:.0f} | {steps} x {tokens_of[each.name]} | {score:.4f} |", flush=True)


def spread(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def launch(command: list, folder: Path, environment: dict) -> subprocess.Popen:
    return subprocess.Popen(list(map(str, command)), cwd=folder, env=environment, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


def ours(arguments, preset) -> Contender:
    settings, root, project = preset["pretrain"], arguments.artifacts.resolve(), Path.cwd()

    def start(steps: int, folder: Path, environment: dict) -> subprocess.Popen:
        """The pipeline's own command, in artifacts of its own that borrow the stages before; its log becomes its output."""
        for stage in ("corpus", "tokenizer", "tokens", ".digests.json"):
            (folder / stage).symlink_to(root / stage)
        words = [*arguments.overrides, f"pretrain.steps={steps}", f"pretrain.warmup_steps={max(1, int(WARMUP_SHARE * steps))}",
                 "pretrain.validations=1", "pretrain.log_every=1",
                 # All are scored on windows that go on over documents' ends, so all are trained on such.
                 "pretrain.document_masking=false", "pretrain.short_steps=0"]
        options = [item for name in ("recipe", "data", "klue") if getattr(arguments, name)
                   for item in (f"--{name}", getattr(arguments, name))]
        command = [sys.executable, "-m", "pipeline", "pretrain", "--preset", arguments.preset, "--artifacts", folder, *options, *words]
        return launch([sys.executable, "-c", FOLLOW, folder / "pretrain", steps, *command], project, os.environ | environment)

    def score(folder: Path):
        return stock(folder / preset.name / "pretrain")
    return Contender("this project", settings.batch_size, start, score)


FOLLOW = """
import pathlib, subprocess, sys, time
folder, steps, command = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
process, seen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True), 0
while process.poll() is None or seen < steps:
    for path in folder.glob("*/logs/metrics.jsonl"):
        lines = [line for line in path.read_text().splitlines() if '"tokens"' in line]
        for number in range(seen, len(lines)):
            print(f"step {number + 1} done", flush=True)
        seen = max(seen, len(lines))
    if process.poll():
        break
    time.sleep(0.01)
print(process.stdout.read())
sys.exit(process.wait())
"""


def plain_transformers(settings, tokens: Path) -> Contender:
    def start(steps: int, folder: Path, environment: dict) -> subprocess.Popen:
        words = {"layers": settings.layers, "width": settings.width, "heads": settings.heads, "context": settings.context,
                 "batch": settings.batch_size, "steps": steps, "warmup": int(WARMUP_SHARE * steps), "rate": RATES["transformers"]}
        return launch([sys.executable, "-m", "tests.bench.plain_hf", tokens.resolve(), folder, *(f"{k}={v}" for k, v in words.items())],
                      Path.cwd(), PLAIN | environment)
    return Contender("transformers, AdamW, bf16, compiled", settings.batch_size, start, stock)


def nano_gpt(settings, tokens: Path, source: Path) -> Contender:
    data = source / "data" / "pipeline"
    data.mkdir(exist_ok=True)
    index = json.loads((tokens / "index.json").read_text())
    if index["dtype"] != "uint16":
        raise UserError("nanoGPT reads 16-bit tokens: choose a vocabulary of at most 65,536.")
    for split, name in (("train", "train.bin"), ("validation", "val.bin")):
        np.concatenate(TokenStream(tokens, split).shards).tofile(data / name)
    import pickle
    (data / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": index["vocab_size"]}))  # nanoGPT's own format

    def start(steps: int, folder: Path, environment: dict) -> subprocess.Popen:
        rate = RATES["nanoGPT"]
        options = {"dataset": "pipeline", "device": "cpu", "dtype": "float32", "compile": True, "n_layer": settings.layers,
                   "n_head": settings.heads, "n_embd": settings.width, "block_size": settings.context, "batch_size": settings.batch_size,
                   "gradient_accumulation_steps": 1, "max_iters": steps, "lr_decay_iters": steps, "learning_rate": rate,
                   "min_lr": rate / 10, "warmup_iters": int(WARMUP_SHARE * steps), "eval_interval": steps, "eval_iters": 1, "log_interval": 1,
                   "out_dir": folder}
        return launch([sys.executable, "-u", "train.py", *(f"--{key}={value}" for key, value in options.items())], source, PLAIN | environment)

    def score(folder: Path):
        spec = importlib.util.spec_from_file_location("nano_gpt_model", source / "model.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        saved = torch.load(folder / "ckpt.pt", weights_only=True)
        model = module.GPT(module.GPTConfig(**saved["model_args"]))
        model.load_state_dict({name.removeprefix("_orig_mod."): value for name, value in saved["model"].items()})
        return lambda ids_BT: model(ids_BT, ids_BT)[0]  # with targets it gives the logits of all positions
    return Contender("nanoGPT, fp32, compiled", settings.batch_size, start, score)


def stock(folder: Path):
    model = GPT2LMHeadModel.from_pretrained(folder)
    return lambda ids_BT: model(ids_BT).logits


@torch.no_grad()
def bits_per_byte(logits_of, tokens: Path, context: int) -> float:
    """Of all validation text, in fp32, for every contender in the same windows."""
    stream, nats = TokenStream(tokens, "validation"), 0.0
    for ids_BT in validation_batches(stream, context, 16):
        logits_NV = logits_of(ids_BT[:, :-1].clamp(min=0)).flatten(0, 1)
        nats += torch.nn.functional.cross_entropy(logits_NV, ids_BT[:, 1:].flatten(), ignore_index=-100, reduction="sum").item()
    return nats / math.log(2) / stream.num_bytes
