"""The preset's training step on random ids, with and without the setting that makes resuming bit-exact, in turns: tokens/s and MFU.
On a GPU: `make bench BENCH=step PRESET=small`."""
import statistics
import time

import torch
from pipeline.training.optimizer import make_optimizers

from pipeline.models.gpt import TokenLosses, make_model
from pipeline.training import cost
from pipeline.training.device import autocast, resolve_device, resolve_precision

TURNS, STEPS = 5, 4


def bench(arguments, preset) -> None:
    settings, vocab_size = preset["pretrain"], preset["tokenizer"].vocab_size
    device = resolve_device(arguments.device)
    precision = resolve_precision(settings.precision, device)
    runs = {exact: prepare(settings, vocab_size, device, exact) for exact in (False, True)}
    shape = settings.micro_batch_size, settings.context + 1
    ids_BT = torch.randint(4, vocab_size, shape, generator=torch.Generator().manual_seed(1)).to(device)
    flops, peak = cost.flops_per_token(runs[True][0].model), cost.peak_flops(device)
    speeds = {exact: [] for exact in runs}
    for turn in range(TURNS + 1):
        for exact, (losses, optimizers) in runs.items():
            torch.use_deterministic_algorithms(exact)
            wait(device)
            start = time.perf_counter()
            for _ in range(STEPS):
                with autocast(device, precision):
                    loss = losses(ids_BT) / ids_BT.numel()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(losses.parameters(), settings.clip)
                for optimizer in optimizers:
                    optimizer.step()
                    optimizer.zero_grad()
            wait(device)
            if turn:  # the first one compiles
                speeds[exact].append(STEPS * settings.micro_batch_size * settings.context / (time.perf_counter() - start))
    print(f"{cost.flops_per_token(losses.model) / 1e6:,.0f} MFLOPs a token, batch {settings.micro_batch_size}, T={settings.context}, {device} in "
          f"{precision}, {settings.optimizer}, compiled: {settings.compile}; peak {peak / 1e12:.2f} TFLOP/s\n")
    for exact, values in speeds.items():
        speed = statistics.median(values)
        print(f"bit-exact {exact!s:<6} {speed:>10,.0f} tokens/s ({min(values):,.0f} to {max(values):,.0f})   MFU {flops * speed / peak:.1%}")
    ratios = [one / two for one, two in zip(speeds[True], speeds[False])]
    print(f"bit-exact / not: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}) over {TURNS} turns")


def prepare(settings, vocab_size: int, device: str, exact: bool) -> tuple:
    torch.use_deterministic_algorithms(exact)
    model = make_model(settings, vocab_size, 3, 0, device).to(device).train()
    return TokenLosses(model, settings.compile), make_optimizers(model, settings)


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
