"""The options of the command line, each described once; cli.py says which command takes which.

An option is also read from an environment variable, KOREAN_GPT2_ and its name, which is how make's
variables arrive."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from corpora.paths import find_path

IN_ARTIFACTS = Path("artifacts")


class Device(StrEnum):
    """Where tensors live."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class Engine(StrEnum):
    """Who does the work that can be shared."""

    pool = "pool"
    ray = "ray"


class Format(StrEnum):
    """What a model is exported as."""

    hf = "hf"
    gguf = "gguf"
    onnx = "onnx"


class Head(StrEnum):
    """How a fine-tuned model answers."""

    linear = "linear"
    language = "language"
    joint = "joint"


class Quant(StrEnum):
    """The precision of a GGUF's matrices."""

    none = "none"
    q8_0 = "q8_0"


def parse_shard(text: str) -> tuple[int, int]:
    """i/n as (i, n), with i from 1 to n; anything else says what to write instead."""
    number, _, jobs = text.partition("/")
    if not (number.isdecimal() and jobs.isdecimal() and 1 <= int(number) <= int(jobs)):
        raise typer.BadParameter(f"{text}: give i/n with i from 1 to n, such as 3/16")
    return int(number), int(jobs)


def option(name: str, text: str, **more: Any) -> Any:
    """--NAME, which make's variable of that name sets, too."""
    variable = f"KOREAN_GPT2_{name.upper()}"
    return typer.Option(f"--{name}", envvar=variable, help=text, show_envvar=False, **more)


Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[key=value]...", help="settings, such as pretrain.steps=200"),
]
PresetName = Annotated[str, option("preset", "name in pipeline/presets, or a .toml file")]
Artifacts = Annotated[Path, option("artifacts", "where stages write")]
Recipe = Annotated[str | None, option("recipe", "name in corpora/recipes, or a .toml file")]
Data = Annotated[
    Path | None,
    option(
        "data",
        "folder that a recipe's relative paths are under",
        parser=find_path,
        metavar="PATH",
    ),
]
Klue = Annotated[str | None, option("klue", "sample, hub, or a folder with KLUE's rows")]
Init = Annotated[
    str | None, option("init", "model folder or name@commit to continue from, with its tokenizer")
]
Model = Annotated[
    str | None, option("model", "model folder or name@commit instead of the preset's")
]
Seeds = Annotated[str | None, option("seeds", "fine-tuning runs a task, or draws of shots")]
Control = Annotated[str | None, option("control", "1 or 0: fine-tune the random twin, too")]
DeviceName = Annotated[Device, option("device", "where the model runs")]
Workers = Annotated[
    int | None, option("workers", "processes for the map steps; by default one a core")
]
EngineName = Annotated[Engine, option("engine", "who does the work that can be shared")]
RunsWorkers = Annotated[
    int | None, option("workers", "runs at once on a CPU, each with a share of the cores")
]
RunsGpus = Annotated[int | None, option("gpus", "runs at once, each on a GPU of its own", min=1)]
JobShard = Annotated[
    Any,
    option("shard", "be the i-th of n jobs that share the work", parser=parse_shard, metavar="i/n"),
]
Merge = Annotated[bool, option("merge", "go on where the jobs of --shard ended")]
Out = Annotated[Path | None, option("out", "folder, or recipe, to write")]
FormatName = Annotated[Format, option("format", "for transformers, llama.cpp, or ONNX Runtime")]
QuantName = Annotated[Quant, option("quant", "q8_0: a GGUF of a quarter of the size")]
Repo = Annotated[str, option("repo", "owner/name on the Hub to upload to")]
Yes = Annotated[bool, option("yes", "upload without asking")]
Tokenizers = Annotated[
    str, option("tokenizers", "folders or .model files to compare with, separated by spaces")
]
Prompt = Annotated[str, option("prompt", "text to continue")]
Tasks = Annotated[
    str | None, option("tasks", "KLUE's tasks and .toml files of your own, separated by spaces")
]
Task = Annotated[str | None, option("task", "one of KLUE's tasks, or a .toml file of your own")]
Text = Annotated[str | None, option("text", "text to classify; of relations, with marks in it")]
SecondText = Annotated[str | None, option("text2", "second text of a pair")]
File = Annotated[
    Path | None,
    option("file", "file of rows to classify", parser=find_path, metavar="PATH"),
]
HeadName = Annotated[Head, option("head", "which of a task's fine-tuned models")]
Claim = Annotated[str | None, option("claim", "which claim to measure; without it, a list")]
Gpus = Annotated[int, option("gpus", "GPUs to reckon with", min=1)]
Hardware = Annotated[str | None, option("hardware", "kind of GPU to reckon with")]
