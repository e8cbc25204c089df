"""`make bench`: speed as ratios taken in one run, in turns, because machines drift. BENCH= chooses,
peers are in PEERS=.

tests/README.md says what each of them measures and needs.
"""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from corpora.errors import UserError, require
from pipeline.cli_options import (
    IN_ARTIFACTS,
    Artifacts,
    Data,
    Device,
    DeviceName,
    Out,
    Overrides,
    PresetName,
    option,
)
from pipeline.launch import read_preset
from tests.bench import corpus, formats, gpu, scale, step, tokenizer, training

NAMES = ("step", "gpu", "training", "corpus", "formats", "tokenizer", "scale")
Benches = Annotated[str | None, option("bench", f"one or several of {', '.join(NAMES)}")]
Peers = Annotated[Path | None, option("peers", "folder with the projects to compare with")]


def bench(
    overrides: Overrides = None,
    preset: PresetName = "demo",
    names: Benches = None,
    data: Data = None,
    peers: Peers = None,
    out: Out = None,
    device: DeviceName = Device.auto,
    artifacts: Artifacts = IN_ARTIFACTS,
) -> None:
    """Measure speed as ratios taken in one run."""
    typed = read_preset(preset, overrides)
    chosen = (names or ("step corpus" if data else "step")).split()
    for name in chosen:
        require(name in NAMES, f"BENCH={name}: choose among {', '.join(NAMES)}.")
    for name in chosen:
        if name == "step":
            step.bench(typed, device)
        elif name == "gpu":
            gpu.bench(read_preset("small", overrides))
        elif name == "training":
            training.bench(typed, artifacts, peers)
        elif name == "tokenizer":
            tokenizer.bench(typed, artifacts)
        elif name == "corpus":
            corpus.bench(real_text(name, data), peers)
        elif name == "formats":
            formats.bench(real_text(name, data), out or Path("artifacts/formats"))
        else:
            scale.bench(real_text(name, data), out or Path("artifacts/scale"))


def real_text(name: str, data: Path | None) -> Path:
    """The folder that DATA= names; raises UserError where it names none."""
    if data is None:
        raise UserError(f"BENCH={name} measures on real text: give DATA=folder.")
    return data


if __name__ == "__main__":
    # Either ends the children, too; a script's background job would be born deaf to Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        typer.run(bench)
    except UserError as error:
        sys.exit(f"error: {error}")
