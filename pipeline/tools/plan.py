"""`make plan`: what a preset's pretraining will cost, before it starts. HARDWARE= names a GPU, GPUS= how many."""
import json
import time

from corpora.errors import require
from pipeline.launch import read_preset
from pipeline.options import (
    IN_ARTIFACTS,
    Artifacts,
    Device,
    DeviceName,
    Gpus,
    Hardware,
    Init,
    Overrides,
    PresetName,
)

UTILISATION = 0.4  # what llm.c reaches with the 124M model on an H100
PROBE_STEPS, PROBE_SECONDS = 20, 60


def plan(
    overrides: Overrides = None,
    preset: PresetName = "demo",
    init: Init = None,
    device: DeviceName = Device.auto,
    gpus: Gpus = 1,
    hardware: Hardware = None,
    artifacts: Artifacts = IN_ARTIFACTS,
) -> None:
    """What a preset will cost: parameters, tokens, FLOPs, memory, time."""
    import torch

    from pipeline.models import cost
    from pipeline.models.gpt import make_model
    from pipeline.reports.render import write_page
    from pipeline.training.device import resolve_device

    typed = read_preset(preset, overrides, init=init)
    settings = typed.pretrain
    names = [hardware] if hardware else [*cost.GPUS]
    require(names[0] in cost.GPUS, f"HARDWARE={hardware}: not among {', '.join(cost.GPUS)}.")
    with torch.device("cpu" if settings.init else "meta"):
        model = make_model(settings, typed.tokenizer.vocab_size, 3, 0)
    flops, memory = cost.flops_per_token(model), cost.memory_needed(model, settings, settings.micro_batch_size, gpus)
    needed, where, probed = sum(memory.values()), resolve_device(device), None
    speeds = {f"{gpus} x {name}": gpus * cost.GPUS[name][0] * 1e12 * UTILISATION / flops for name in names}
    too_small = [name for name in names if needed > cost.GPUS[name][1] * 1e9]
    if not hardware and needed > cost.memory_there(where):
        too_small.append(f"{where} like this machine's, so nothing was tried here")
    elif not hardware:
        speed, steps = probe(settings, typed.tokenizer.vocab_size, where, flops)
        probed = {"speed": speed, "steps": steps, "device": where, "mfu": flops * speed / cost.peak_flops(where)}
        speeds = {f"this {where}": speed, **speeds}
    index = artifacts / typed.name / "tokens" / "index.json"
    corpus = json.loads(index.read_text(encoding="utf-8"))["totals"]["train"] if index.exists() else None
    path = artifacts / typed.name / "plan.md"
    write_page(path, "plan", preset=typed.name, settings=settings, config=model.config, flops=flops,
                        parameters=model.num_parameters(), memory=memory, too_small=too_small, probed=probed,
                        corpus=corpus, speeds=speeds, utilisation=UTILISATION)
    print(path.read_text(encoding="utf-8") + f"\nplan: {path}")


def probe(settings, vocab_size: int, device: str, flops: int) -> tuple[float, int]:
    """Tokens/s of the preset's own training step on random ids, and how many micro-batches were timed: PROBE_STEPS, or
    fewer where they take over PROBE_SECONDS. Micro-batches are cut to some seconds' work."""
    import torch

    from pipeline.models import cost
    from pipeline.models.gpt import TokenLosses, make_model
    from pipeline.training.device import autocast, resolve_precision
    from pipeline.training.optimizer import make_optimizers
    precision = resolve_precision(settings.precision, device)
    model = make_model(settings, vocab_size, 3, 0, device).to(device).train()
    losses = TokenLosses(model, settings.compile, settings.document_masking)
    optimizers = make_optimizers(model, settings)
    affordable = int(3 * cost.peak_flops(device) * UTILISATION / flops / settings.context)
    rows = min(settings.micro_batch_size, max(1, affordable))
    ids_BT = torch.randint(4, vocab_size, (rows, settings.context + 1)).to(device)
    rounds = []  # seconds of the forward and backward pass, and of the update
    with cost.naming_what_fits(model, settings, device, 1):
        # The first two compile, and make the optimizers' state.
        while len(rounds) < 2 + PROBE_STEPS and sum(map(sum, rounds[2:])) < PROBE_SECONDS:
            start = time.perf_counter()
            with autocast(device, precision):
                loss = losses(ids_BT)
            loss.backward()
            loss.item()  # waits for a GPU
            between = time.perf_counter()
            for optimizer in optimizers:
                optimizer.step()
            next(model.parameters()).flatten()[0].item()
            rounds.append((between - start, time.perf_counter() - between))
    gradient, update = (sum(seconds) / len(seconds) for seconds in zip(*rounds[2:]))
    a_step = gradient * settings.batch_size / rows + update
    return settings.batch_size * settings.context / a_step, len(rounds) - 2
