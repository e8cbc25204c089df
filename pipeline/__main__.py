"""`python -m pipeline COMMAND --preset NAME key=value ...`: what the Makefile's targets call. Stages import their
libraries only when there's something to build; a wrong input ends in one message, not a traceback."""
import argparse
import errno
import logging
import os
import pkgutil
import signal
import sys
from itertools import product
from pathlib import Path

from corpora import UserError, read_toml, require
from corpora.klue import SPLITS, load_rows, parse_tasks
from pipeline import config
from pipeline.artifact import find
from pipeline.engine import Context
from pipeline.stages import STAGES, TARGETS, locate, run_stage

OPTIONS, TOOLS, NEXT = read_toml(Path(__file__).with_name("commands.toml")).values()


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    parser.add_argument("command", choices=[*(TARGETS.get(name, name) for name in STAGES), *TOOLS])
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="settings, such as pretrain.steps=200")
    types = {"text": str, "number": int, "path": Path, "shard": parse_shard}
    for option, row in OPTIONS.items():
        parser.add_argument(f"--{option}", help=row["help"], type=types[row.get("type", "text")],
                            default=row.get("default"), choices=row.get("choices"))
    parser.set_defaults(workers=os.cpu_count())
    parser.add_argument("--merge", action="store_true", help="go on where the jobs of --shard ended")
    parser.add_argument("--check", action="store_true", help="only check that the stage's own files are there")
    return parser.parse_intermixed_args(words)


def parse_shard(text: str) -> tuple[int, int]:
    number, _, jobs = text.partition("/")
    if not (number.isdecimal() and jobs.isdecimal() and 1 <= int(number) <= int(jobs)):
        raise argparse.ArgumentTypeError(f"{text}: give i/n with i from 1 to n, such as 3/16")
    return int(number), int(jobs)


def load_settings(arguments: argparse.Namespace) -> config.Preset:
    overrides = {key: value for option, row in OPTIONS.items() if (value := getattr(arguments, option)) is not None
                 for key in row.get("short_for", ())}
    for text in arguments.overrides:
        key, equals, value = text.partition("=")
        require(equals, f"{text}: settings are written key=value, such as pretrain.steps=200.")
        overrides[key] = value
    return config.load_preset(arguments.preset, overrides)


def make_context(arguments: argparse.Namespace, name: str) -> Context:
    """Resolve the device for the stages that use one; the others needn't import torch for it."""
    device = "cpu"
    if name in ("pretrain", *TARGETS):
        logging.getLogger("lm_eval").setLevel(logging.ERROR)  # it warns of every task and model that is used as meant
        # transformers reads them at import. A classifier's head is always new, and a causal model gets no mask.
        os.environ |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}
        from pipeline.training.device import resolve_device
        device = resolve_device(arguments.device)
        if device == "cpu" != arguments.device and "WORLD_SIZE" in os.environ:
            raise UserError("GPUS=: torch finds no GPU here. DEVICE=cpu runs that many processes on the CPU instead.")
    on_ray = arguments.engine == "ray"
    return Context(device, arguments.data, arguments.workers, on_ray, arguments.shard, arguments.merge)


def check_inputs(name: str, preset: config.Preset, arguments: argparse.Namespace) -> None:
    """Read what the stage will read besides artifacts, so that a fault in it is told before hours of work."""
    STAGES[name].files(preset[name], arguments.data)
    key, _, _ = locate(name, preset, arguments.data, arguments.artifacts)
    if name in TARGETS and preset[name].data != "hub" and not (key and find(arguments.artifacts, name, key)):
        for task, split in product(parse_tasks(preset[name].tasks), SPLITS):
            load_rows(preset[name].data, task, split)


def main() -> None:
    arguments = parse()
    preset = load_settings(arguments)
    require(arguments.workers > 0, f"WORKERS={arguments.workers}: has to be at least 1.")
    if arguments.engine == "ray":  # its workers may stand in another folder
        arguments.artifacts = arguments.artifacts.absolute()
        arguments.data = arguments.data and arguments.data.absolute()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: finished work is kept, pools end
    name = {target: stage for stage, target in TARGETS.items()}.get(arguments.command, arguments.command)
    if name in TOOLS:
        pkgutil.resolve_name(f"pipeline.{TOOLS[name]}")(arguments, preset)
    elif arguments.check:
        check_inputs(name, preset, arguments)
    else:
        finished = run_stage(name, preset, arguments.artifacts, arguments.data, lambda: make_context(arguments, name))
        if name in TARGETS:
            print("\n" + (finished.path / "table.md").read_text(encoding="utf-8"))
        print(f"{name}: {arguments.artifacts / preset.name / name}   next: {NEXT[name]}")
        if "WORLD_SIZE" in os.environ and "torch" in sys.modules:
            from pipeline.training.device import end_process
            end_process()


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("stopped; the same command continues what can be continued", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `make settings | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EEXIST, errno.EACCES,
                               errno.EPERM, errno.ENOTDIR, errno.EISDIR):
            raise
        sys.exit(f"error: {error.filename or 'artifacts'}: {error.strerror}. Finished work is kept; make room or give "
                 "write access, then run the same command again.")
