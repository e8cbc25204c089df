"""The pipeline's command with one fault built in: `python -m tests.faulty FAULT COMMAND ...`, FAULT being nan:STEP, a loss that
isn't a number at that step, or term:STEP, a SIGTERM while that step is worked on."""
import os
import signal
import sys

import torch

from pipeline import __main__ as pipeline
from pipeline.models.gpt import TokenLosses
from pipeline.training import loop
from pipeline.training.batches import TrainingBatches


def main() -> None:
    kind, _, at = sys.argv.pop(1).partition(":")
    now = []

    def batch(self, step, *place, draw=TrainingBatches.batch):
        now[:] = [step + 1]
        if kind == "term" and step + 1 == int(at):
            os.kill(os.getpid(), signal.SIGTERM)
        return draw(self, step, *place)

    class Faulty(TokenLosses):
        def forward(self, ids_BT):
            losses = super().forward(ids_BT)
            return losses * torch.nan if kind == "nan" and now == [int(at)] and self.training else losses
    TrainingBatches.batch, loop.TokenLosses = batch, Faulty
    pipeline.main()


if __name__ == "__main__":
    try:
        main()
    except pipeline.UserError as error:
        sys.exit(f"error: {error}")
