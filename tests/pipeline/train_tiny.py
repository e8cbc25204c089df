"""A tiny pretraining by the loop itself, as a program: `python -m tests.pipeline.train_tiny TOKENS FOLDER key=value ...`, alone
or under torchrun. Writes FOLDER/weights.safetensors. With KILL=rank:step that process dies with -9 before that step, once."""
import os
import signal
import sys
from pathlib import Path

import torch
from pipeline.training.optimizer import whole
from safetensors.torch import save_file

from pipeline.models.gpt import make_model
from pipeline.settings import SECTIONS, load_preset
from pipeline.training import loop
from pipeline.training.batches import TokenStream, TrainingBatches
from pipeline.training.device import end_process, join_processes, leave_processes
from tests.pipeline.tiny_tokens import END, VOCABULARY

TINY = {"layers": 2, "width": 32, "heads": 2, "context": 16, "steps": 8, "batch_size": 4, "micro_batch_size": 1, "warmup_steps": 2,
        "learning_rate": 5e-3, "compile": False, "validations": 2, "log_every": 1}


def main() -> None:
    tokens, folder, *words = sys.argv[1:]
    overrides = {f"pretrain.{key}": str(value) for key, value in TINY.items()}
    overrides |= {f"pretrain.{word.split('=')[0]}": word.split("=")[1] for word in words}
    settings = load_preset("demo", overrides)["pretrain"]
    assert isinstance(settings, SECTIONS["pretrain"])
    torch.set_num_threads(1)
    rank, _ = join_processes("cpu")
    folder = Path(folder)
    doomed, kill_at = (int(part) for part in os.environ.get("KILL", "-1:0").split(":"))

    class Batches(TrainingBatches):
        def batch(self, step, *place):
            if rank == doomed and step == kill_at and not (folder / "killed").exists():
                (folder / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().batch(step, *place)
    model = make_model(settings, VOCABULARY, END, 0)
    batches = Batches(TokenStream(Path(tokens), "train"), settings.context, settings.batch_size, settings.seed)
    loop.train(model, batches, TokenStream(Path(tokens), "validation"), settings, "cpu", "fp32", folder, lambda step: None)
    weights = {name: whole(weight.detach()) for name, weight in model.named_parameters()}
    if rank == 0:
        save_file(weights, folder / "weights.safetensors")
    leave_processes()
    if os.environ.get("WORLD_SIZE"):
        end_process()


if __name__ == "__main__":
    main()
