"""A training step of the preset small on one GPU, bit-exact and not, beside a plain transformers
loop's: tokens/s and MFU, in turns; what compiling takes is counted apart.

All have the same random ids, one micro-batch a step, and don't read the loss. The FLOPs are those
of ours for all."""

import statistics
import time

import torch

from corpora.errors import require
from pipeline.models.cost import flops_per_token
from pipeline.presets import Preset
from pipeline.settings import PretrainSettings
from pipeline.training.device import peak_flops, prepare_torch, resolve_precision
from tests.bench.plain_hf import PlainStep
from tests.bench.step import STEPS, Step

TURNS = 7
RATE = 6e-4  # of plain transformers' AdamW, as GPT-3's small model has it; it's no race for loss
EXACT = "this project, bit-exact"
FREE = "this project, not bit-exact"
PLAIN = "transformers, AdamW, compiled"


class PlainTurn:
    """Plain transformers in a turn like ours, on the same ids."""

    def __init__(self, settings: PretrainSettings, vocab_size: int, precision: str, ours: Step):
        self.ours = ours
        self.step = PlainStep(
            vocab_size,
            settings.layers,
            settings.width,
            settings.heads,
            settings.context,
            RATE,
            precision == "bf16",
            ours.device,
        )
        self.ids_BT = ours.ids_BT[:, :-1].contiguous()

    def measure(self) -> float:
        """Tokens/s over a turn's steps."""
        torch.use_deterministic_algorithms(False)
        self.ours.wait()
        start = time.perf_counter()
        for _ in range(STEPS):
            self.step.take(self.ids_BT)
        self.ours.wait()
        return STEPS * self.ids_BT.numel() / (time.perf_counter() - start)


def bench(preset: Preset, device: str = "cuda") -> None:
    """Print a table. Raises UserError where there's no GPU; another device is for trying this."""
    require(
        device != "cuda" or torch.cuda.is_available(),
        "BENCH=gpu needs a GPU, and torch finds none here. BENCH=step measures on a CPU.",
    )
    settings = preset.pretrain
    vocab_size = preset.tokenizer.vocab_size
    precision = resolve_precision(settings.precision, device)
    prepare_torch(True, settings.compile, device)
    exact, free = (
        Step(settings, vocab_size, device, precision, is_exact) for is_exact in (True, False)
    )
    plain = PlainTurn(settings, vocab_size, precision, exact)
    contenders = {EXACT: exact, FREE: free, PLAIN: plain}
    waits = {}
    for name, contender in contenders.items():
        start = time.perf_counter()
        contender.measure()
        waits[name] = time.perf_counter() - start
    speeds = {name: [] for name in contenders}
    for _ in range(TURNS):
        for name, contender in contenders.items():
            speeds[name].append(contender.measure())
    where = torch.cuda.get_device_name() if device == "cuda" else device
    print(
        f"{preset.name}: {settings.layers} layers, width {settings.width}, T={settings.context}, "
        f"{settings.micro_batch_size} sequences a step, {where} in {precision}; {TURNS} turns of "
        f"{STEPS} steps\n"
    )
    flops = flops_per_token(exact.losses.model)
    show(speeds, waits, flops, peak_flops(device))


def show(
    speeds: dict[str, list[float]], waits: dict[str, float], flops: int, peak: float | None
) -> None:
    """Print a row a contender."""
    print("| | tokens/s | MFU | this project's ratio | first turn, with compiling |")
    print("|---|---|---|---|---|")
    for name, values in speeds.items():
        speed = statistics.median(values)
        mfu = f"{flops * speed / peak:.1%}" if peak else "-"
        ratios = [mine / theirs for mine, theirs in zip(speeds[EXACT], values)]
        print(
            f"| {name} | {speed:,.0f} ({min(values):,.0f} to {max(values):,.0f}) | {mfu} | "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | "
            f"{waits[name]:.0f} s |"
        )
