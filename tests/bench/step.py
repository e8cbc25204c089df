"""The preset's training step on random ids, with and without the setting that makes resuming
bit-exact, in turns: tokens/s, and MFU on a GPU: `make bench BENCH=step PRESET=small`."""

import statistics
import time

import torch

from pipeline.models.cost import flops_per_token
from pipeline.models.gpt import make_model
from pipeline.models.losses import TokenLosses
from pipeline.presets import Preset
from pipeline.settings import PretrainSettings
from pipeline.training.device import autocast, peak_flops, resolve_device, resolve_precision
from pipeline.training.optimizers import clip_gradients, make_optimizers

TURNS = 5
STEPS = 4  # a turn


def bench(preset: Preset, wanted_device: str) -> None:
    settings = preset.pretrain
    vocab_size = preset.tokenizer.vocab_size
    device = resolve_device(wanted_device)
    precision = resolve_precision(settings.precision, device)
    steps = {
        is_exact: Step(settings, vocab_size, device, precision, is_exact)
        for is_exact in (False, True)
    }
    flops = flops_per_token(steps[True].losses.model, settings.context)
    peak = peak_flops(device)
    speeds = {is_exact: [] for is_exact in steps}
    for turn in range(TURNS + 1):
        for is_exact, step in steps.items():
            speed = step.measure()
            if turn > 0:  # the first one compiles
                speeds[is_exact].append(speed)
    print(
        f"{flops / 1e6:,.0f} MFLOPs a token, batch {settings.micro_batch_size}, "
        f"T={settings.context}, {device} in {precision}, {settings.optimizer}, compiled: "
        f"{settings.compile}\n"
    )
    for is_exact, values in speeds.items():
        speed = statistics.median(values)
        mfu = f"   MFU {flops * speed / peak:.1%}" if peak else ""
        print(
            f"bit-exact {is_exact!s:<6} {speed:>10,.0f} tokens/s ({min(values):,.0f} to "
            f"{max(values):,.0f}){mfu}"
        )
    ratios = [one / two for one, two in zip(speeds[True], speeds[False])]
    print(
        f"bit-exact / not: {statistics.median(ratios):.3f} ({min(ratios):.3f} to "
        f"{max(ratios):.3f}) over {TURNS} turns"
    )


class Step:
    """A model and its optimizers, and always the same random ids."""

    def __init__(
        self,
        settings: PretrainSettings,
        vocab_size: int,
        device: str,
        precision: str,
        is_exact: bool,
    ) -> None:
        self.settings = settings
        self.device = device
        self.precision = precision
        self.is_exact = is_exact
        torch.use_deterministic_algorithms(is_exact)
        model = make_model(settings, vocab_size, 3, 0, device)
        self.losses = TokenLosses(model, settings.compile).to(device).train()
        self.optimizers = make_optimizers(model, settings)
        shape = (settings.micro_batch_size, settings.context + 1)
        generator = torch.Generator().manual_seed(1)
        self.ids_BT = torch.randint(4, vocab_size, shape, generator=generator).to(device)

    def measure(self) -> float:
        """Tokens/s over a turn's steps."""
        torch.use_deterministic_algorithms(self.is_exact)
        self.wait()
        start = time.perf_counter()
        for _ in range(STEPS):
            with autocast(self.device, self.precision):
                loss = self.losses(self.ids_BT) / self.ids_BT.numel()
            loss.backward()
            clip_gradients(self.losses.parameters(), self.settings.clip)
            for optimizer in self.optimizers:
                optimizer.step()
                optimizer.zero_grad()
        self.wait()
        num_tokens = STEPS * self.settings.micro_batch_size * self.settings.context
        return num_tokens / (time.perf_counter() - start)

    def wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()
