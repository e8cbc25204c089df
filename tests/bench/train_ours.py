"""This project's pretraining stage as a program that prints a line a step:
`python -m tests.bench.train_ours CORPUS TOKENS TOKENIZER FOLDER SETTINGS`, the last one as JSON."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pipeline.executors import Context
from pipeline.settings import PretrainSettings
from pipeline.stages import pretrain


def print_step(values: dict[str, Any]) -> None:
    if "tokens" in values:
        print(f"step {values['step']} done", flush=True)


def main() -> None:
    *inputs, folder, settings = sys.argv[1:]
    pretrain.open_tracker = lambda *_, **__: nullcontext(print_step)
    pretrain.run(
        PretrainSettings.model_validate_json(settings),
        dict(zip(("corpus", "tokens", "tokenizer"), map(Path, inputs))),
        Path(folder),
        Context("cpu"),
    )


if __name__ == "__main__":
    main()
