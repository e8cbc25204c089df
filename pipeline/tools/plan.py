"""`make plan`: what a preset's pretraining will cost, before anything is started. HARDWARE= names a GPU, GPUS= how many."""
import json
import time
from contextlib import nullcontext

from corpora import UserError
from pipeline import artifact

UTILISATION = 0.4  # what llm.c reaches with the 124M model on an H100
TOKENS_PER_PARAMETER = 20  # compute-optimal (Hoffmann et al., 2022)
BYTES_PER_TOKEN = 4.1  # of a corpus that isn't there yet: the README's, with 16k pieces
PAPERS = {"11 GB": 11, "40 GB, GPT-2's": 40, "570 GB, GPT-3's": 570}
PROBE_STEPS, PROBE_SECONDS = 20, 60


def run(arguments, preset) -> None:
    import torch

    from pipeline.training import cost
    from pipeline.training.device import resolve_device
    from pipeline.training.model import make_model
    settings, vocab_size, gpus = preset["pretrain"], preset["tokenizer"].vocab_size, arguments.gpus
    if arguments.hardware and arguments.hardware not in cost.GPUS:
        raise UserError(f"HARDWARE={arguments.hardware}: not among {', '.join(cost.GPUS)}.")
    with torch.device("meta") if not settings.init else nullcontext():
        model = make_model(settings, vocab_size, 3, 0)
    parameters, flops, config = model.num_parameters(), cost.flops_per_token(model), model.config
    planned = settings.steps * settings.batch_size * settings.context
    memory = cost.memory_needed(model, settings, settings.micro_batch_size, gpus)
    needed = sum(memory.values())
    print(f"preset {preset.name}: {settings.architecture}, {config.num_hidden_layers} layers, width {config.hidden_size}, context "
          f"{settings.context}, {vocab_size:,} pieces\n  parameters  {parameters / 1e6:,.1f}M\n  compute     {flops / 1e6:,.0f} "
          f"MFLOPs a token\n  memory      {needed / cost.GB:,.1f} GB a process with {settings.micro_batch_size} sequences at a time ("
          + ", ".join(f"{name} {size / cost.GB:,.1f}" for name, size in memory.items()) + ")")
    for name, (_, there) in cost.GPUS.items():
        if needed > there * cost.GB and arguments.hardware in (None, name):
            print(f"              doesn't fit into one {name}: lower pretrain.micro_batch_size, or use gradient_checkpointing or fsdp")
    device = resolve_device(arguments.device)
    names = [arguments.hardware] if arguments.hardware else list(cost.GPUS)
    speeds = {f"{gpus} x {name}": gpus * cost.GPUS[name][0] * 1e12 * UTILISATION / flops for name in names}
    if arguments.hardware:
        pass  # no need for a probe here
    elif needed > cost.memory_there(device):
        print(f"  no probe: this machine's {device} has {cost.memory_there(device) / cost.GB:,.0f} GB of memory")
    else:
        speed, steps = probe(settings, vocab_size, device, flops)
        print(f"  probe       {speed:,.0f} tokens/s on this machine's {device} ({steps} micro-batches), MFU "
              f"{flops * speed / cost.peak_flops(device):.0%}")
        speeds = {f"this {device}": speed, **speeds}
    size = BYTES_PER_TOKEN
    rows = {"this preset": planned, "compute-optimal (20 a parameter)": TOKENS_PER_PARAMETER * parameters}
    index = arguments.artifacts / preset.name / "tokens" / "index.json"
    if index.exists():
        train = json.loads(index.read_text(encoding="utf-8"))["totals"]["train"]
        size = train["bytes"] / train["tokens"]
        rows["the corpus at hand, once"] = train["tokens"]
    rows |= {name: gigabytes * cost.GB / size for name, gigabytes in PAPERS.items()}
    print(f"\nHours for so many tokens, {size:.2f} bytes of text each; GPUs at {UTILISATION:.0%} of their data sheet's rate, "
          f"{'the probe measured' if len(speeds) > len(names) else 'not measured'}:\n")
    print(f"{'':<34}{'tokens':>10}{'text, GB':>10}{'FLOPs':>10}  optimal size" + "".join(f"{name:>14}" for name in speeds))
    for name, tokens in rows.items():
        print(f"{name:<34}{tokens / 1e6:>9,.0f}M{tokens * size / cost.GB:>10,.2f}{tokens * flops:>10.1e}"
              f"{tokens / TOKENS_PER_PARAMETER / 1e6:>13,.1f}M" + "".join(f"{tokens / speed / 3600:>14,.2f}" for speed in speeds.values()))


def probe(settings, vocab_size: int, device: str, flops: int) -> tuple[float, int]:
    """Tokens/s of the preset's own training step on random ids, and how many micro-batches were timed: PROBE_STEPS, or
    fewer where they take over PROBE_SECONDS. Micro-batches are cut to some seconds' work."""
    import torch

    from pipeline.training import cost
    from pipeline.training.device import autocast, resolve_precision
    from pipeline.training.model import TokenLosses, make_model
    from pipeline.training.optimizer import make_optimizers
    precision = resolve_precision(settings.precision, device)
    model = make_model(settings, vocab_size, 3, 0, device).to(device).train()
    losses, optimizers = TokenLosses(model, settings.compile, settings.document_masking), make_optimizers(model, settings)
    rows = min(settings.micro_batch_size, max(1, int(3 * cost.peak_flops(device) * UTILISATION / flops / settings.context)))
    ids_BT = torch.randint(4, vocab_size, (rows, settings.context + 1)).to(device)

    def timed(function) -> float:
        start = time.perf_counter()
        function()
        next(model.parameters()).flatten()[0].item()  # waits for a GPU
        return time.perf_counter() - start

    def accumulate() -> None:
        with autocast(device, precision):
            loss = losses(ids_BT)
        loss.backward()

    def update() -> None:
        for optimizer in optimizers:
            optimizer.step()
    with cost.naming_what_fits(model, settings, device, 1):
        for _ in range(2):  # compiles, and makes the optimizers' state
            accumulate()
            update()
        seconds = []
        while len(seconds) < PROBE_STEPS and sum(seconds) < PROBE_SECONDS:
            seconds.append(timed(accumulate))
        a_step = sum(seconds) / len(seconds) * settings.batch_size / rows + timed(update)
    return settings.batch_size * settings.context / a_step, len(seconds)
