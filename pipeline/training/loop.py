"""The training loop: readable from top to bottom, resumable at any moment. It knows tokens and a model; where they come
from and what becomes of the result is stages/pretrain.py's business."""
import json
import math
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from tqdm import tqdm

from corpora import UserError
from pipeline.artifact import SCRATCH, append_json
from pipeline.training.batches import TokenStream, TrainingBatches, validation_batches
from pipeline.training.checkpoint import load_checkpoint, save_checkpoint
from pipeline.training.device import autocast
from pipeline.training.model import token_losses
from pipeline.training.optimizer import learning_rate_factor, make_optimizer


@contextmanager
def noting_signals() -> Iterator[list[str]]:
    """Within it SIGTERM and SIGINT only leave their names, so that a step is never cut in half."""
    received = []

    def note(number, frame) -> None:
        if received:  # asked twice: don't wait for the step to end
            os._exit(128 + number)
        received.append(signal.Signals(number).name)
    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def forget_after(path: Path, step: int) -> None:
    """Drop the lines of steps that will be done again, and half a line, from a log of JSON lines."""
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        path.write_text("".join(kept), encoding="utf-8")


def train(model, batches: TrainingBatches, validation: TokenStream, settings, device: str, precision: str,
          folder: Path, on_validation) -> dict:
    """Train for settings.steps steps and return the figures of the run.

    Writes folder/scratch/checkpoint.safetensors and folder/logs/metrics.jsonl, and continues from a checkpoint.
    `on_validation(step)` is called after each validation. Raises SystemExit after a signal, and UserError when a loss or
    a gradient isn't finite: both leave a checkpoint of the last good state."""
    checkpoint = folder / SCRATCH / "checkpoint.safetensors"
    model.to(device).train()
    optimizer = make_optimizer(model, settings.learning_rate, settings.weight_decay, settings.beta2)
    progress = {"step": 0, "seconds": 0.0, "resumes": 0}
    if checkpoint.exists():
        progress = load_checkpoint(checkpoint, model, optimizer)
        progress["resumes"] += 1
        print(f"pretrain: resuming after step {progress['step']}", flush=True)
    if settings.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS asks for, to be deterministic
    torch.use_deterministic_algorithms(settings.deterministic)
    if settings.compile and device == "cpu" and not any(map(shutil.which, ("c++", "g++", "clang++"))):
        raise UserError("pretrain.compile=true needs a C++ compiler, and there's none. Install g++, or set "
                        "SET=\"pretrain.compile=false\" (slower).")
    losses = torch.compile(token_losses, dynamic=False) if settings.compile else token_losses
    metrics = folder / "logs" / "metrics.jsonl"
    forget_after(metrics, progress["step"])
    tokens_a_step = settings.batch_size * settings.context
    validation_steps = {round(settings.steps * i / settings.validations) for i in range(1, settings.validations + 1)}
    saved_at = started = time.monotonic()
    begun, first_step = started - progress["seconds"], progress["step"]
    figures = {}

    def save(step: int) -> None:
        progress.update(step=step, seconds=time.monotonic() - begun)
        save_checkpoint(checkpoint, model, optimizer, progress)

    with (noting_signals() as signals,
          tqdm(total=settings.steps, initial=first_step, desc="pretrain", unit="step", disable=None) as bar):
        for step in range(first_step, settings.steps):
            ids_BT = batches.batch(step).to(device)
            loss = 0.0
            for micro_BT in ids_BT.split(settings.micro_batch_size):
                with autocast(device, precision):
                    micro_loss = losses(model, micro_BT) / ids_BT[:, 1:].numel()
                micro_loss.backward()
                loss += micro_loss.item()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip).item()
            if not (math.isfinite(loss) and math.isfinite(norm)):
                # Nothing was stepped yet: the weights are those after the last good step.
                save(step)
                append_json(metrics, step=step + 1, event="non-finite", loss=repr(loss), gradient_norm=repr(norm))
                raise UserError(f"pretrain: the loss at step {step + 1} is {loss}, the gradient's norm {norm}. The state "
                                f"after step {step} is kept in {checkpoint}. A lower pretrain.learning_rate, which starts "
                                "a new run, is what usually helps.")
            rate = settings.learning_rate * learning_rate_factor(step, settings.steps, settings.warmup_steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            done = step + 1
            bar.update()
            if done % settings.log_every == 0 or done == settings.steps:
                now = time.monotonic()
                speed = (done - first_step) * tokens_a_step / (now - started)
                append_json(metrics, step=done, tokens=done * tokens_a_step, loss=loss, gradient_norm=norm,
                            learning_rate=rate, tokens_per_second=round(speed, 1), seconds=round(now - begun, 2))
                bar.set_postfix(loss=f"{loss:.3f}", tokens_s=f"{speed:,.0f}")
            if done in validation_steps:
                figures = validate(model, losses, validation, settings, device, precision)
                append_json(metrics, step=done, **figures)
                bar.write(f"pretrain: step {done}: {figures['bits_per_byte']:.4f} bits per byte on validation text")
                on_validation(done)
            if signals or time.monotonic() - saved_at > 60 * settings.checkpoint_minutes:
                save(done)
                saved_at = time.monotonic()
            if signals and done < settings.steps:
                raise SystemExit(f"pretrain: stopped by {signals[0]} after step {done}; the state is saved. "
                                 "The same command continues from there.")
    if not figures:  # resumed after the last step
        figures = validate(model, losses, validation, settings, device, precision)
    if not math.isfinite(figures["bits_per_byte"]):
        raise UserError("pretrain: the validation loss isn't finite. A lower pretrain.learning_rate usually helps.")
    return {"steps": settings.steps, "tokens": settings.steps * tokens_a_step,
            "seconds": round(time.monotonic() - begun, 1), "resumes": progress["resumes"], **figures}


@torch.no_grad()
def validate(model, losses, stream: TokenStream, settings, device: str, precision: str) -> dict:
    """Bits per byte of the whole validation split: bits of all tokens, end tokens included, over the text's bytes."""
    model.eval()
    nats = 0.0
    for ids_BT in validation_batches(stream, settings.context, settings.micro_batch_size, stream.index["end_token_id"]):
        # A last, smaller batch would compile the model once more: fill it up with rows that count nothing.
        missing = settings.micro_batch_size - len(ids_BT)
        ids_BT = torch.cat([ids_BT, ids_BT.new_full((missing, ids_BT.shape[1]), -100)])
        with autocast(device, precision):
            nats += losses(model, ids_BT.to(device)).item()
    model.train()
    return {"validation_loss": nats / len(stream), "bits_per_byte": nats / math.log(2) / stream.num_bytes,
            "validation_tokens": len(stream), "validation_bytes": stream.num_bytes}
