"""The training loop: readable from top to bottom, resumable at any moment. It knows tokens and a
model; where they come from and what becomes of the result is stages/pretrain.py's business."""

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import torch
from tqdm import tqdm
from transformers import PreTrainedModel

from corpora.errors import UserError, require
from pipeline.artifacts.manifest import SCRATCH, peak_memory_mb
from pipeline.models.cost import advising_what_fits, flops_per_token
from pipeline.models.gpt import is_bert
from pipeline.models.losses import TokenLosses
from pipeline.settings import PretrainSettings
from pipeline.training.batches import TokenStream, TrainingBatches, shorten
from pipeline.training.checkpoint import (
    Progress,
    last_undamaged,
    load_checkpoint,
    save_checkpoint,
)
from pipeline.training.device import autocast, copy_to, memory_of, peak_flops, prepare_torch
from pipeline.training.interruption import farewell, postponing_signals
from pipeline.training.optimizers import (
    Guard,
    clip_gradients,
    make_optimizers,
    step_optimizers,
)
from pipeline.training.processes import (
    all_reduce_mean,
    all_reduce_sum,
    decide_together,
    distribute,
    embeddings_gathered,
    exchange_gradients,
    rank_and_world,
)
from pipeline.training.schedule import (
    learning_rate_factor,
    sequence_length,
    snapshot_steps,
    validation_steps,
)
from pipeline.training.tracking import MetricsLog, Tracker, no_tracker, progress_bar
from pipeline.training.validation import Validation, validate


class Agreed(NamedTuple):
    """What one of the processes knows, and all of them do."""

    is_stopping: bool  # it was told to
    is_save_due: bool


class Trainer:
    """A pretraining run, from where its last checkpoint stands to its last step.

    Writes folder/scratch/checkpoints and folder/logs/metrics.jsonl, and continues from what it
    finds there. Under torchrun every process has a trainer and works on its part of each batch; the
    first one writes. Making one raises UserError where no checkpoint is left undamaged, or
    compiling isn't possible.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        batches: TrainingBatches,
        validation: TokenStream,
        settings: PretrainSettings,
        device: str,
        precision: str,
        folder: Path,
        on_validation: Callable[[int], None],
        on_snapshot: Callable[[int], None],
        tracker: Tracker = no_tracker,
    ) -> None:
        """`on_...` are called with the step, by all processes; `tracker` with a line of metrics."""
        self.rank, self.world = rank_and_world()
        self.batches = batches
        self.settings = settings
        self.device = device
        self.precision = precision
        self.on_validation = on_validation
        self.on_snapshot = on_snapshot
        prepare_torch(settings.deterministic, settings.compile, device)
        model.train()
        masking = settings.document_masking
        losses = TokenLosses(model, settings.compile, masking, settings.mask_rate).to(device)
        self.model = model
        self.losses = distribute(losses, settings.parallel)
        self.optimizers = make_optimizers(model, settings)
        self.guard = Guard(device)
        self.checkpoints = folder / SCRATCH / "checkpoints"
        self.log = MetricsLog(folder / "logs" / "metrics.jsonl", tracker, self.rank == 0)
        self.progress = self.resume()
        self.micro_batch_size = min(settings.micro_batch_size, settings.batch_size // self.world)
        self.score_validation_text = partial(
            validate,
            self.losses,
            validation,
            settings.context,
            self.micro_batch_size,
            device,
            precision,
            batches.hiding if is_bert(model) else None,
        )
        self.tokens_per_step = settings.batch_size * settings.context
        self.peak_flops = peak_flops(device)
        self.latest_figures: list[float] = []  # loss in nats a token, gradient norm
        self.latest_validation: Validation | None = None
        self.step_seconds: list[float] = []  # since the last line of metrics
        self.saved_at = time.monotonic()
        self.started_at = self.saved_at - self.progress.seconds

    def train(self) -> dict[str, Any]:
        """Run the steps that are left, and return the figures of the run.

        Raises SystemExit after a signal, UserError when a loss or a gradient isn't finite: both
        leave a checkpoint of the last good state.
        """
        settings = self.settings
        validates_after = validation_steps(settings.validations, settings.steps)
        kept_after = snapshot_steps(settings.snapshots, settings.steps)
        with (
            postponing_signals() as signals,
            advising_what_fits(self.model, settings, memory_of(self.device), self.world),
            progress_bar(settings.steps, self.progress.step, self.rank == 0) as bar,
        ):
            for step in range(self.progress.step, settings.steps):
                begun_at = time.monotonic()
                loss = all_reduce_mean(self.accumulate_gradients(step))
                norm = clip_gradients(self.model.parameters(), settings.clip)
                self.guard.watch(loss, norm)
                agreed = self.agree(bool(signals))
                factor = learning_rate_factor(step, settings.steps, settings.warmup_steps)
                step_optimizers(self.optimizers, factor, self.guard.found_inf)
                done = step + 1
                bar.update()
                is_last = done == settings.steps
                is_logged = done % settings.log_every == 0 or is_last
                if is_logged or done in validates_after | kept_after or any(agreed):
                    self.require_finite(done)
                self.step_seconds.append(time.monotonic() - begun_at)
                if is_logged:
                    self.log_step(done, factor, bar)
                is_best = done in validates_after and self.validate(done, bar)
                if done in kept_after:
                    self.on_snapshot(done)
                if agreed.is_stopping or agreed.is_save_due or (is_best and not is_last):
                    self.save(done)
                if agreed.is_stopping and not is_last:
                    raise SystemExit(farewell(done, signals))
        return self.figures()

    def resume(self) -> Progress:
        """Go back to the last undamaged checkpoint, or begin."""
        path = decide_together(partial(last_undamaged, self.checkpoints))
        if path is None:
            progress = Progress()
        else:
            progress = load_checkpoint(path, self.model, self.optimizers)
            progress.resumes += 1
            if self.rank == 0:
                print(f"pretrain: resuming after step {progress.step}", flush=True)
        self.log.rewind(progress.step)
        return progress

    def accumulate_gradients(self, step: int) -> torch.Tensor:
        """Run the forward and backward pass over this process's part of a batch, in micro-batches.

        Returns a loss whose mean over the processes is the batch's, in nats a token.
        """
        ids_BT = copy_to(self.batches.batch(step, self.rank, self.world), self.device)
        is_masked = self.batches.hides_words(step)
        length = sequence_length(step, self.settings)
        ids_BT = shorten(ids_BT, length)
        micro_batches = ids_BT.split(self.micro_batch_size * self.settings.context // length)
        loss = torch.zeros((), device=self.device)
        for number, micro_BT in enumerate(micro_batches, start=1):
            exchange_gradients(self.losses, is_last=number == len(micro_batches))
            with autocast(self.device, self.precision):
                # Processes' gradients are averaged, hence their number: the sum is over the batch.
                share = self.world / self.tokens_per_step
                micro_loss = self.losses(micro_BT, masked=is_masked) * share
            micro_loss.backward()
            loss += micro_loss.detach()
        return loss

    def agree(self, is_stopping: bool) -> Agreed:
        """One exchange a step, between CPUs: when to stop and when to save."""
        seconds = time.monotonic() - self.saved_at
        is_overdue = seconds > 60 * self.settings.checkpoint_minutes
        stopping, overdue = all_reduce_sum([is_stopping, is_overdue], "cpu")
        return Agreed(stopping > 0, overdue > 0)

    def require_finite(self, done: int) -> None:
        """Wait for the device and read what came of the steps since this was last called.

        Raises UserError for a loss or gradient that wasn't finite: the weights are still those
        after the step before it, which are kept.
        """
        figures = self.guard.read()
        for step, (loss, norm) in enumerate(figures, start=done - len(figures)):
            if not (math.isfinite(loss) and math.isfinite(norm)):
                self.give_up(step, loss, norm)
        self.latest_figures = figures[-1]

    def give_up(self, step: int, loss: float, norm: float) -> NoReturn:
        """Keep the state after so many steps, and raise UserError for what the next one gave."""
        kept = ""
        if step > 0:
            self.save(step)
            kept = f"The state after step {step} is kept in {self.checkpoints}. "
        self.log.add(step=step + 1, event="non-finite", loss=repr(loss), gradient_norm=repr(norm))
        raise UserError(
            f"pretrain: the loss at step {step + 1} is {loss}, the gradient's norm {norm}. {kept}"
            "A lower pretrain.learning_rate, which starts a new run, is what usually helps."
        )

    def log_step(self, done: int, factor: float, bar: tqdm) -> None:
        """Write a line of metrics; the speed is without validation and saving."""
        loss, norm = self.latest_figures
        speed = len(self.step_seconds) * self.tokens_per_step / sum(self.step_seconds)
        self.step_seconds.clear()
        on_gpu = self.device == "cuda"
        mfu = {}
        if self.peak_flops:
            flops = flops_per_token(self.model, sequence_length(done - 1, self.settings)) * speed
            mfu["mfu"] = round(flops / (self.peak_flops * self.world), 4)
        self.log.add(
            step=done,
            tokens=done * self.tokens_per_step,
            loss=loss,
            gradient_norm=norm,
            learning_rate=self.settings.learning_rate * factor,
            matrix_learning_rate=self.settings.matrix_learning_rate * factor,
            tokens_per_second=round(speed, 1),
            **mfu,
            memory_mb=torch.cuda.max_memory_allocated() >> 20 if on_gpu else peak_memory_mb(),
            seconds=round(self.seconds(), 2),
        )
        bar.set_postfix(loss=f"{loss:.3f}", tokens_s=f"{speed:,.0f}")

    def validate(self, done: int, bar: tqdm) -> bool:
        """Score the validation text, and write and show the figures; whether they are the best."""
        found = self.score_validation_text()
        self.latest_validation = found
        self.log.add(step=done, **found._asdict())
        if self.rank == 0:
            said = f"{found.bits_per_byte:.4f} bits per byte on"
            if is_bert(self.model):
                said = f"{found.validation_loss:.4f} nats a hidden token of"
            bar.write(f"pretrain: step {done}: {said} validation text")
        is_best = found.bits_per_byte < self.progress.best
        if is_best:
            self.progress.best = found.bits_per_byte
            self.progress.best_step = done
        with embeddings_gathered(self.losses), autocast(self.device, self.precision):
            self.on_validation(done)
        return is_best

    def save(self, done: int) -> None:
        """Write a checkpoint of the state after so many steps."""
        self.progress.step = done
        self.progress.seconds = self.seconds()
        keep = self.settings.keep_checkpoints
        save_checkpoint(self.checkpoints, self.model, self.optimizers, self.progress, keep)
        self.saved_at = time.monotonic()

    def seconds(self) -> float:
        """Seconds of training so far, over all resumes."""
        return time.monotonic() - self.started_at

    def figures(self) -> dict[str, Any]:
        """What is recorded of the finished run; raises UserError for a loss that isn't finite."""
        # There's none in a run that was resumed after its last step.
        latest = self.latest_validation or self.score_validation_text()
        require(
            math.isfinite(latest.bits_per_byte),
            "pretrain: the validation loss isn't finite. A lower pretrain.learning_rate usually "
            "helps.",
        )
        return {
            "steps": self.settings.steps,
            "tokens": self.settings.steps * self.tokens_per_step,
            "seconds": round(self.seconds(), 1),
            "resumes": self.progress.resumes,
            "best_step": self.progress.best_step,
            "best_bits_per_byte": self.progress.best,
            **latest._asdict(),
        }
