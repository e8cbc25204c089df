"""The pipeline's command with one fault built in: `python -m tests.faulty FAULT COMMAND ...`.

FAULT is nan:STEP, a loss that isn't a number at that step, or term:STEP, a SIGTERM while that step
is worked on."""

import os
import signal
import sys

import torch

from pipeline.cli import main as run_command
from pipeline.models.losses import TokenLosses
from pipeline.training import trainer
from pipeline.training.batches import TrainingBatches


def main() -> None:
    kind, _, at = sys.argv.pop(1).partition(":")
    draw_batch = TrainingBatches.batch
    is_faulty_step = False

    def batch(self: TrainingBatches, step: int, rank: int = 0, world: int = 1) -> torch.Tensor:
        nonlocal is_faulty_step
        is_faulty_step = step + 1 == int(at)
        if kind == "term" and is_faulty_step:
            os.kill(os.getpid(), signal.SIGTERM)
        return draw_batch(self, step, rank, world)

    class FaultyLosses(TokenLosses):
        def forward(self, ids_BT: torch.Tensor, masked: bool = False) -> torch.Tensor:
            losses = super().forward(ids_BT, masked)
            is_poisoned = kind == "nan" and is_faulty_step and self.training
            return losses * torch.nan if is_poisoned else losses

    TrainingBatches.batch = batch
    trainer.TokenLosses = FaultyLosses
    run_command()


if __name__ == "__main__":
    main()
