"""A training step, in turns: this project's step (bf16 where the hardware has it, compiled, no mask) against a plain transformers GPT-2
step in fp32 without compilation, same model, same batch, same optimizer.
"""
import copy
import statistics
import time

import torch
from transformers import GPT2LMHeadModel

from pipeline.training.device import autocast, resolve_device, resolve_precision
from pipeline.training.model import make_model, token_losses
from pipeline.training.optimizer import make_optimizer

ROUNDS, STEPS = 5, 4


def bench(arguments, preset) -> None:
    settings = preset["pretrain"]
    device = resolve_device(arguments.device)
    precision = resolve_precision(settings.precision, device)
    ours = make_model(settings, preset["tokenizer"].vocab_size, 3, 0).to(device)
    plain = GPT2LMHeadModel(copy.deepcopy(ours.config)).to(device)
    plain.set_attn_implementation("sdpa")
    losses = torch.compile(token_losses, dynamic=False)

    def our_loss(ids_BT):
        with autocast(device, precision):
            return losses(ours, ids_BT) / ids_BT[:, 1:].numel()

    contenders = {f"this project ({precision}, compiled)": (our_loss, make_optimizer(ours, settings.learning_rate, settings.weight_decay)),
                  "plain transformers (fp32, eager)": (lambda ids_BT: plain(ids_BT, labels=ids_BT).loss,
                                                        torch.optim.AdamW(plain.parameters(), settings.learning_rate))}
    generator = torch.Generator().manual_seed(1)
    shape = settings.micro_batch_size, settings.context + 1
    ids_BT = torch.randint(4, preset["tokenizer"].vocab_size, shape, generator=generator).to(device)
    plain_ids_BT = ids_BT[:, :-1]  # both see `context` positions
    speeds = {name: [] for name in contenders}
    for turn in range(ROUNDS + 1):
        for name, (loss_of, optimizer) in contenders.items():
            synchronize(device)
            start = time.perf_counter()
            for _ in range(STEPS):
                loss_of(ids_BT if loss_of is our_loss else plain_ids_BT).backward()
                optimizer.step()
                optimizer.zero_grad()
            synchronize(device)
            if turn:  # the first one warms up and compiles
                speeds[name].append(STEPS * plain_ids_BT.numel() / (time.perf_counter() - start))
    first, second = speeds
    for name, values in speeds.items():
        print(f"{name:<42} {statistics.median(values):>10,.0f} tokens/s   ({min(values):,.0f} to {max(values):,.0f})")
    ratios = [a / b for a, b in zip(speeds[first], speeds[second])]
    print(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) over {ROUNDS} turns; "
          f"{settings.layers} layers, width {settings.width}, context {settings.context}, "
          f"batch {settings.micro_batch_size}, {torch.get_num_threads()} threads, {device}")


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
