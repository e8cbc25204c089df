"""The training loop: readable from top to bottom, resumable at any moment. It knows tokens and a model; where they come
from and what becomes of the result is stages/pretrain.py's business."""
import json
import math
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from torch.distributed.fsdp import FSDPModule
from tqdm import tqdm

from corpora.errors import UserError, require
from pipeline.artifacts.files import append_json
from pipeline.artifacts.manifest import SCRATCH, peak_memory_mb
from pipeline.models.gpt import TokenLosses
from pipeline.training import cost
from pipeline.training.batches import TokenStream, TrainingBatches, shorten, validation_batches
from pipeline.training.checkpoint import last_whole, load_checkpoint, save_checkpoint
from pipeline.training.device import autocast, distribute, exchange_gradients, rank_and_world, total
from pipeline.training.optimizer import learning_rate_factor, make_optimizers, whole


@contextmanager
def noting_signals() -> Iterator[list[str]]:
    """Within it SIGTERM and SIGINT only leave their names, so that a step is never cut in half."""
    received = []

    def note(number, frame) -> None:
        if received:  # asked twice: don't wait for the step to end
            os._exit(128 + number)
        received.append(signal.Signals(number).name)
    with ExitStack() as afterwards:
        for number in (signal.SIGTERM, signal.SIGINT):
            afterwards.callback(signal.signal, number, signal.signal(number, note))  # which returns the one before
        yield received


def train(model, batches: TrainingBatches, validation: TokenStream, settings, device: str, precision: str,
          folder: Path, on_validation, track=lambda values: None) -> dict:
    """Train for settings.steps steps and return the figures of the run.

    Writes folder/scratch/checkpoints and folder/logs/metrics.jsonl, and continues from a checkpoint. Calls
    `on_validation(step)` after each validation, `track(values)` with each line of metrics. Under torchrun every process
    calls this and works on its part of each batch; the first one writes. Raises SystemExit after a signal, UserError
    when a loss or a gradient isn't finite: both leave a checkpoint of the last good state."""
    rank, world = rank_and_world()
    checkpoints, metrics = folder / SCRATCH / "checkpoints", folder / "logs" / "metrics.jsonl"
    if settings.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS asks for, to be deterministic
    torch.use_deterministic_algorithms(settings.deterministic)
    require(device != "cpu" or not settings.compile or any(map(shutil.which, ("c++", "g++", "clang++"))),
            "pretrain.compile=true needs a C++ compiler, and there's none. Install g++, or set "
            "SET=\"pretrain.compile=false\" (slower).")
    model.to(device).train()
    if settings.gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    losses = distribute(TokenLosses(model, settings.compile, settings.document_masking), settings.parallel, precision)
    optimizers = make_optimizers(model, settings)
    progress = {"step": 0, "seconds": 0.0, "resumes": 0, "best_step": 0, "best": math.inf}
    if path := last_whole(checkpoints):
        progress = load_checkpoint(path, model, optimizers)
        progress["resumes"] += 1
    if rank == 0:
        if path:
            print(f"pretrain: resuming after step {progress['step']}", flush=True)
        if metrics.exists():  # without the lines of steps that will be done again, and half a line
            lines = metrics.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= progress["step"]]
            metrics.write_text("".join(kept), encoding="utf-8")
    micro_batch_size = min(settings.micro_batch_size, settings.batch_size // world)
    tokens_a_step = settings.batch_size * settings.context
    validation_steps = {round(settings.steps * i / settings.validations) for i in range(1, settings.validations + 1)}
    flops, peak = cost.flops_per_token(model), cost.peak_flops(device) * world
    saved_at = time.monotonic()
    begun, first_step = saved_at - progress["seconds"], progress["step"]
    figures = {}
    step_seconds = []  # since the last line of metrics, without validation and saving

    def save(step: int) -> None:
        progress.update(step=step, seconds=time.monotonic() - begun)
        save_checkpoint(checkpoints, model, optimizers, progress, settings.keep_checkpoints)

    def note(**values) -> None:
        if rank == 0:
            append_json(metrics, **values)
            track(values)

    with (noting_signals() as signals, cost.naming_what_fits(model, settings, device, world), tqdm(
            total=settings.steps, initial=first_step, desc="pretrain", unit="step", disable=rank > 0 or None) as bar):
        for step in range(first_step, settings.steps):
            step_begun = time.monotonic()
            ids_BT, rows = batches.batch(step, rank, world).to(device), micro_batch_size
            if step < settings.short_steps:
                ids_BT, rows = shorten(ids_BT, settings.context // 4), 4 * rows
            loss, micros = torch.zeros((), device=device), ids_BT.split(rows)
            for number, micro_BT in enumerate(micros, start=1):
                exchange_gradients(losses, number == len(micros))
                with autocast(device, precision):
                    # Processes' gradients are averaged, hence their number: the sum is over the whole batch.
                    micro_loss = losses(micro_BT) * (world / tokens_a_step)
                micro_loss.backward()
                loss += micro_loss.detach()
            norm = whole(torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip))
            overdue = time.monotonic() - saved_at > 60 * settings.checkpoint_minutes
            # One exchange a step: processes have to agree when to stop and when to save.
            loss, norm, stop, due = (value / world for value in total([loss, norm, bool(signals), overdue], device))
            if not (math.isfinite(loss) and math.isfinite(norm)):
                if step:  # the weights are still those after the last good step
                    save(step)
                note(step=step + 1, event="non-finite", loss=repr(loss), gradient_norm=repr(norm))
                kept = f"The state after step {step} is kept in {checkpoints}. " if step else ""
                raise UserError(f"pretrain: the loss at step {step + 1} is {loss}, the gradient's norm {norm}. {kept}A "
                                "lower pretrain.learning_rate, which starts a new run, is what usually helps.")
            factor = learning_rate_factor(step, settings.steps, settings.warmup_steps)
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = group.setdefault("peak_lr", group["lr"]) * factor
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            done = step + 1
            bar.update()
            step_seconds.append(time.monotonic() - step_begun)
            if done % settings.log_every == 0 or done == settings.steps:
                speed = len(step_seconds) * tokens_a_step / sum(step_seconds)
                step_seconds.clear()
                memory = torch.cuda.max_memory_allocated() >> 20 if device == "cuda" else peak_memory_mb()
                note(step=done, tokens=done * tokens_a_step, loss=loss, gradient_norm=norm,
                     learning_rate=settings.learning_rate * factor,
                     matrix_learning_rate=settings.matrix_learning_rate * factor,
                     tokens_per_second=round(speed, 1), mfu=round(flops * speed / peak, 4), memory_mb=memory,
                     seconds=round(time.monotonic() - begun, 2))
                bar.set_postfix(loss=f"{loss:.3f}", tokens_s=f"{speed:,.0f}")
            if done in validation_steps:
                figures = validate(losses, validation, settings, micro_batch_size, device, precision)
                note(step=done, **figures)
                if rank == 0:
                    bar.write(f"pretrain: step {done}: {figures['bits_per_byte']:.4f} bits per byte on validation text")
                if figures["bits_per_byte"] < progress["best"]:
                    progress.update(best=figures["bits_per_byte"], best_step=done)
                    due = due or done < settings.steps
                on_validation(done)
            if stop or due:
                save(done)
                saved_at = time.monotonic()
            if stop and done < settings.steps:
                raise SystemExit(f"pretrain: stopped by {signals[0] if signals else 'another process'} after step "
                                 f"{done}; the state is saved. The same command continues from there.")
    if not figures:  # resumed after the last step
        figures = validate(losses, validation, settings, micro_batch_size, device, precision)
    require(math.isfinite(figures["bits_per_byte"]),
            "pretrain: the validation loss isn't finite. A lower pretrain.learning_rate usually helps.")
    return {"steps": settings.steps, "tokens": settings.steps * tokens_a_step, "peak_flops": peak,
            "seconds": round(time.monotonic() - begun, 1), "resumes": progress["resumes"],
            "best_step": progress["best_step"], "best_bits_per_byte": progress["best"], **figures}


@torch.no_grad()
def validate(losses, stream: TokenStream, settings, batch_size: int, device: str, precision: str) -> dict:
    """Bits per byte of the whole validation split: bits of all tokens, end tokens included, over the text's bytes."""
    losses.eval()
    nats = torch.zeros((), dtype=torch.float64)
    for ids_BT in validation_batches(stream, settings.context, batch_size, *rank_and_world()):
        with autocast(device, precision):
            nats += losses(ids_BT.to(device)).cpu()
    losses.train()
    if isinstance(losses, FSDPModule):
        losses.reshard()  # what a backward pass would have done
    nats, = total([nats], device)
    return {"validation_loss": nats / len(stream), "bits_per_byte": nats / math.log(2) / stream.num_bytes,
            "validation_tokens": len(stream), "validation_bytes": stream.num_bytes}
