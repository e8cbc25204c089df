"""A tiny pretraining by the trainer itself: in this process, in several that are forked with torch
already loaded, or as a program under torchrun: `python -m tests.pipeline.train_tiny TOKENS FOLDER
key=value ...`. Of several processes the first one writes FOLDER/weights.safetensors."""

import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import torch
from safetensors.torch import save_file
from transformers import PreTrainedModel

from corpora.errors import UserError
from pipeline.models.gpt import make_model
from pipeline.settings import PretrainSettings
from pipeline.training import checkpoint
from pipeline.training.batches import TokenStream, TrainingBatches
from pipeline.training.processes import (
    end_process,
    full_tensor,
    join_processes,
    leave_processes,
)
from pipeline.training.trainer import Trainer
from tests.pipeline.tiny_tokens import END, PAD, VOCABULARY

GPTS = ("gpt", "gpt2", "gpt3")
TINY = PretrainSettings(
    layers=2,
    width=32,
    heads=2,
    context=16,
    steps=8,
    batch_size=4,
    micro_batch_size=1,
    warmup_steps=2,
    learning_rate=5e-3,
    matrix_weight_decay=0.02,  # a step's is that of a run of a thousand
    compile=False,
    validations=2,
    log_every=1,
)
torch.set_num_threads(1)  # a tiny model's threads spend their time waiting for each other


def tiny(**changes: Any) -> PretrainSettings:
    """The tiny settings with changes, which are checked."""
    return PretrainSettings(**TINY.model_dump() | changes)


def make_tiny(**changes: Any) -> PreTrainedModel:
    """A model of the tiny settings with changes."""
    return make_model(tiny(**changes), VOCABULARY, END, PAD)


def make_trainer(
    tokens: Path,
    folder: Path,
    settings: PretrainSettings,
    on_validation=lambda step: None,
    batches_class=TrainingBatches,
    device: str = "cpu",
    precision: str | None = None,
) -> Trainer:
    """A trainer in fp32, unless `precision` or the settings ask for bf16 by name."""
    precision = precision or ("bf16" if settings.precision == "bf16" else "fp32")
    model = make_model(settings, VOCABULARY, END, PAD, device)
    text = TokenStream(tokens, "train")
    batches = batches_class(text, settings.context, settings.batch_size, settings.seed)
    validation = TokenStream(tokens, "validation")
    return Trainer(
        model,
        batches,
        validation,
        settings,
        device,
        precision,
        folder,
        on_validation,
        on_snapshot=lambda step: None,
    )


class Fault(NamedTuple):
    """A signal that one process gets, once or several times, before a step; or a loss that isn't a
    number."""

    rank: int
    step: int
    signal: signal.Signals | None
    times: int = 1


def faulty_batches(fault: Fault, mark: Path) -> type[TrainingBatches]:
    """Batches that send their own process the signal, unless the mark is there already."""

    class FaultyBatches(TrainingBatches):
        is_poisoned = False

        def batch(self, step: int, rank: int = 0, world: int = 1) -> torch.Tensor:
            is_due = step == fault.step and not mark.exists()
            if is_due:
                mark.touch()
            if is_due and fault.signal:
                for _ in range(fault.times):
                    os.kill(os.getpid(), fault.signal)
            self.is_poisoned = is_due and not fault.signal
            return super().batch(step, rank, world)

    return FaultyBatches


def poison(trainer: Trainer) -> None:
    """Make the losses of batches that are poisoned no numbers."""
    batches: Any = trainer.batches

    def spoil(module: torch.nn.Module, ids: Any, loss: torch.Tensor) -> torch.Tensor:
        return loss * torch.nan if module.training and batches.is_poisoned else loss

    trainer.losses.register_forward_hook(spoil)


def train_and_save(
    tokens: Path,
    folder: Path,
    settings: PretrainSettings,
    fault: Fault | None = None,
    device: str = "cpu",
) -> None:
    """One process's part of a training."""
    rank, _ = join_processes(device)
    batches_class = TrainingBatches
    if fault and fault.rank == rank:
        batches_class = faulty_batches(fault, folder / "signalled")
    trainer = make_trainer(tokens, folder, settings, batches_class=batches_class, device=device)
    if fault and fault.rank == rank:
        poison(trainer)
    trainer.train()
    weights = {
        name: full_tensor(weight.detach()) for name, weight in trainer.model.named_parameters()
    }
    if rank == 0:
        save_file(weights, folder / "weights.safetensors")
    leave_processes()


def pose_as_torchruns(rank: int, world: int, port: int) -> None:
    """Make of a forked process what torchrun would have made of it."""
    if world > 1:
        os.environ |= {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(world),
            "MASTER_ADDR": "localhost",
            "MASTER_PORT": str(port),
        }


def be_process(
    rank: int,
    world: int,
    port: int,
    tokens: Path,
    folder: Path,
    settings: PretrainSettings,
    fault: Fault | None,
) -> None:
    """One process of a training; its last words, if it stops, are in a file."""
    pose_as_torchruns(rank, world, port)
    if rank > 0:
        checkpoint.load_file = checkpoint.safe_open = leave_to_the_first
    try:
        train_and_save(tokens, folder, settings, fault)
    except (SystemExit, UserError) as stopped:
        (folder / f"stopped-{rank}").write_text(str(stopped))
        os._exit(1)
    end_process()


def leave_to_the_first(path: Path, **_: Any) -> NoReturn:
    raise AssertionError(f"{path} is read by another process than the first")


def train_in_processes(
    world: int,
    tokens: Path,
    folder: Path,
    settings: PretrainSettings,
    fault: Fault | None = None,
) -> list[int | None]:
    """Train in so many processes; their exit codes."""
    folder.mkdir(exist_ok=True)
    return run_in_processes(world, be_process, tokens, folder, settings, fault)


def run_in_processes(world: int, target: Callable[..., None], *arguments: Any) -> list[int | None]:
    """Call target(rank, world, port, *arguments) in so many processes; their exit codes. When one
    is killed the others are, too."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    port = free_port()
    processes = [
        context.Process(target=target, args=(rank, world, port, *arguments))
        for rank in range(world)
    ]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes):
        if any(process.exitcode == -signal.SIGKILL for process in processes):
            for process in processes:
                process.kill()
        time.sleep(0.02)
    return [process.exitcode for process in processes]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


def main() -> None:
    tokens, folder, *words = sys.argv[1:]
    texts = dict(word.split("=") for word in words)
    device = texts.pop("device", "cpu")
    changes = {name: int(text) if text.isdigit() else text for name, text in texts.items()}
    train_and_save(Path(tokens), Path(folder), tiny(**changes), device=device)
    end_process()


if __name__ == "__main__":
    main()
