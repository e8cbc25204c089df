"""What a pretraining will cost, before it starts: by formula, and by a few of its own steps on this
machine. How that is shown is tools/plan.py's business."""

import time
from typing import Any, NamedTuple

import numpy as np
import torch

from corpora.errors import require
from pipeline.models.cost import (
    advising_what_fits,
    flops_per_token,
    mean_flops_per_token,
    memory_needed,
)
from pipeline.models.gpt import is_bert, make_model
from pipeline.models.losses import TokenLosses
from pipeline.models.masking import Vocabulary
from pipeline.presets import Preset
from pipeline.settings import PretrainSettings
from pipeline.training.batches import Hiding
from pipeline.training.device import (
    GPUS,
    autocast,
    memory_of,
    peak_flops,
    prepare_torch,
    resolve_device,
    resolve_precision,
)
from pipeline.training.optimizers import make_optimizers

UTILISATION = 0.4  # of the data sheet's rate: what llm.c reaches with the 124M model on an H100
PROBE_STEPS = 20
PROBE_SECONDS = 60
NUM_UNTIMED = 2  # the first micro-batches compile, and make the optimizers' state
MOST_FLOPS = 1e12  # a micro-batch where there's no GPU: some seconds of two cores
END_TOKEN = 3
PAD_TOKEN = 0


class Probe(NamedTuple):
    """What this machine did."""

    device: str
    speed: float  # tokens a second
    steps: int  # micro-batches that were timed
    mfu: float | None  # of a GPU's data sheet


class Estimate(NamedTuple):
    """What a preset's pretraining will take."""

    parameters: int
    flops: float  # a token, over all steps
    memory: dict[str, float]  # bytes a process, by what they hold
    too_small: list[str]  # hardware that hasn't that much memory
    speeds: dict[str, float]  # tokens a second, by hardware; GPUs' only for what is compiled
    probed: Probe | None
    config: Any  # the model's


def estimate(preset: Preset, device: str, hardware: str | None, num_gpus: int) -> Estimate:
    """Reckon with so many GPUs of the named hardware, or with all that are known and this machine.

    `device` is what the user asked for. Raises UserError for unknown hardware.
    """
    require(
        hardware is None or hardware in GPUS,
        f"HARDWARE={hardware}: not among {', '.join(GPUS)}.",
    )
    names = [hardware] if hardware else list(GPUS)
    settings = preset.pretrain
    vocab_size = preset.tokenizer.vocab_size
    with torch.device("cpu" if settings.init else "meta"):
        model = make_model(settings, vocab_size, END_TOKEN, PAD_TOKEN)
    flops = mean_flops_per_token(model, settings)
    memory = memory_needed(model, settings, settings.micro_batch_size, num_gpus)
    needed = sum(memory.values())
    speeds = {
        f"{num_gpus} x {name}": num_gpus * GPUS[name].teraflops * 1e12 * UTILISATION / flops
        for name in names
        if settings.compile
    }
    too_small = [name for name in names if needed > GPUS[name].gigabytes * 1e9]
    probed = None
    if not hardware:
        found = resolve_device(device)
        if needed > memory_of(found):
            too_small.append(f"{found} like this machine's, so nothing was tried here")
        else:
            probed = probe(settings, vocab_size, found)
            speeds = {f"this {found}": probed.speed, **speeds}
    num_parameters = model.num_parameters()
    return Estimate(num_parameters, flops, memory, too_small, speeds, probed, model.config)


def probe(settings: PretrainSettings, vocab_size: int, device: str) -> Probe:
    """Time the preset's own training step, one that isn't short, on random ids: PROBE_STEPS
    micro-batches, or fewer where they take over PROBE_SECONDS. Without a GPU micro-batches are cut
    to some seconds' work."""
    prepare_torch(settings.deterministic, settings.compile, device)
    precision = resolve_precision(settings.precision, device)
    model = make_model(settings, vocab_size, END_TOKEN, PAD_TOKEN, device)
    masking = settings.document_masking
    losses = TokenLosses(model, settings.compile, masking, settings.mask_rate).to(device).train()
    optimizers = make_optimizers(model, settings)
    flops = flops_per_token(model, settings.context)
    num_rows = settings.micro_batch_size
    if device != "cuda":
        num_rows = min(num_rows, max(1, int(MOST_FLOPS / flops / settings.context)))
    is_masked = is_bert(model)
    ids_BT = draw_ids(settings, vocab_size, num_rows, is_masked).to(device)
    gradient_seconds: list[float] = []
    update_seconds: list[float] = []
    with advising_what_fits(model, settings, memory_of(device), 1):
        for number in range(NUM_UNTIMED + PROBE_STEPS):
            start = time.perf_counter()
            with autocast(device, precision):
                loss = losses(ids_BT, masked=is_masked)
            loss.backward()
            loss.item()  # waits for a GPU
            between = time.perf_counter()
            for optimizer in optimizers:
                optimizer.step()
            next(model.parameters()).flatten()[0].item()
            end = time.perf_counter()
            if number < NUM_UNTIMED:
                continue
            gradient_seconds.append(between - start)
            update_seconds.append(end - between)
            if sum(gradient_seconds) + sum(update_seconds) >= PROBE_SECONDS:
                break
    num_timed = len(gradient_seconds)
    gradient = sum(gradient_seconds) / num_timed
    update = sum(update_seconds) / num_timed
    step_seconds = gradient * settings.batch_size / num_rows + update
    speed = settings.batch_size * settings.context / step_seconds
    peak = peak_flops(device)
    return Probe(device, speed, num_timed, flops * speed / peak if peak else None)


def draw_ids(
    settings: PretrainSettings, vocab_size: int, num_rows: int, is_masked: bool
) -> torch.Tensor:
    """Random ids (B, T + 1) in place of text; packed with hidden words among them, if wanted."""
    ids_BT = torch.randint(END_TOKEN + 1, vocab_size, (num_rows, settings.context + 1))
    if not is_masked:
        return ids_BT
    text_V = np.arange(vocab_size) > END_TOKEN
    words = Vocabulary(text_V, text_V, END_TOKEN)
    return Hiding(words, 1.0, settings.mask_rate, settings.seed).hide(ids_BT, 0, 0)
