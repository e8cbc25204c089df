"""The command line: what the Makefile's targets call. Every command shows its own options and no
others (cli_options.py describes them).

Stages and tools import their libraries only when there's something to do; a wrong input ends in one
message, not a traceback."""

import errno
import os
import sys

import typer

from corpora.errors import UserError
from pipeline import cli_options
from pipeline.claims.command import check_claim, claim
from pipeline.launch import (
    context_of_runs,
    context_on,
    read_preset,
    run_and_report,
    run_mapped,
)
from pipeline.models.folder import check_init
from pipeline.stages.stage import check_inputs
from pipeline.tools.clean import clean
from pipeline.tools.export import export
from pipeline.tools.generate import generate
from pipeline.tools.plan import plan
from pipeline.tools.predict import predict
from pipeline.tools.publish import publish
from pipeline.tools.recipe import recipe
from pipeline.tools.report import report
from pipeline.tools.scaling import scaling
from pipeline.tools.settings import settings
from pipeline.tools.status import status
from pipeline.tools.task import task
from pipeline.tools.tokenizer_report import tokenizer_report
from pipeline.torchrun import meet, speaks_first

MENDABLE_ERRORS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EEXIST,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EISDIR,
)
"""Errors of the file system that the user can mend; the same command then goes on."""

INTERRUPTED = 130
"""The status with which typer ends on Ctrl-C."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Korean GPT-2: corpus -> tokenizer -> tokens -> pretrain -> klue-eval.",
)


@app.command()
def corpus(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    recipe: cli_options.Recipe = None,
    data: cli_options.Data = None,
    init: cli_options.Init = None,
    workers: cli_options.Workers = None,
    engine: cli_options.EngineName = cli_options.Engine.pool,
    shard: cli_options.JobShard = None,
    merge: cli_options.Merge = False,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Clean text: read, decode, clean, filter, deduplicate, split."""
    typed = read_preset(preset, overrides, recipe=recipe, init=init)
    check_init(typed)  # before what may take hours
    run_mapped("corpus", typed, artifacts, data, workers, engine, shard, merge)


@app.command()
def tokenizer(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    recipe: cli_options.Recipe = None,
    data: cli_options.Data = None,
    init: cli_options.Init = None,
    workers: cli_options.Workers = None,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """SentencePiece tokenizer with morpheme boundaries, exported for AutoTokenizer."""
    typed = read_preset(preset, overrides, recipe=recipe, init=init)
    run_mapped("tokenizer", typed, artifacts, data, workers)


@app.command()
def tokens(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    recipe: cli_options.Recipe = None,
    data: cli_options.Data = None,
    init: cli_options.Init = None,
    workers: cli_options.Workers = None,
    engine: cli_options.EngineName = cli_options.Engine.pool,
    shard: cli_options.JobShard = None,
    merge: cli_options.Merge = False,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """The corpus as token ids."""
    typed = read_preset(preset, overrides, recipe=recipe, init=init)
    run_mapped("tokens", typed, artifacts, data, workers, engine, shard, merge)


@app.command()
def pretrain(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    recipe: cli_options.Recipe = None,
    data: cli_options.Data = None,
    init: cli_options.Init = None,
    device: cli_options.DeviceName = cli_options.Device.auto,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Train the GPT; stop and restart at any moment."""
    typed = read_preset(preset, overrides, recipe=recipe, init=init)
    run_and_report("pretrain", typed, artifacts, data, lambda: context_on(device, data))


@app.command()
def klue_eval(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    recipe: cli_options.Recipe = None,
    data: cli_options.Data = None,
    klue: cli_options.Klue = None,
    tasks: cli_options.Tasks = None,
    init: cli_options.Init = None,
    model: cli_options.Model = None,
    seeds: cli_options.Seeds = None,
    control: cli_options.Control = None,
    device: cli_options.DeviceName = cli_options.Device.auto,
    gpus: cli_options.RunsGpus = None,
    workers: cli_options.RunsWorkers = None,
    engine: cli_options.EngineName = cli_options.Engine.pool,
    shard: cli_options.JobShard = None,
    merge: cli_options.Merge = False,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Fine-tune on KLUE and print the table."""
    typed = read_preset(
        preset,
        overrides,
        recipe=recipe,
        klue=klue,
        tasks=tasks,
        init=init,
        model=model,
        seeds=seeds,
        control=control,
    )
    run_and_report(
        "klue",
        typed,
        artifacts,
        data,
        lambda: context_of_runs(device, data, gpus, workers, engine, shard, merge),
    )


@app.command()
def klue_prompt(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    recipe: cli_options.Recipe = None,
    data: cli_options.Data = None,
    klue: cli_options.Klue = None,
    tasks: cli_options.Tasks = None,
    init: cli_options.Init = None,
    model: cli_options.Model = None,
    seeds: cli_options.Seeds = None,
    device: cli_options.DeviceName = cli_options.Device.auto,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Zero-, one- and few-shot scores on KLUE, without a gradient step."""
    typed = read_preset(
        preset,
        overrides,
        recipe=recipe,
        klue=klue,
        tasks=tasks,
        init=init,
        model=model,
        seeds=seeds,
    )
    run_and_report("prompt", typed, artifacts, data, lambda: context_on(device, data))


@app.command()
def klue_check(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    recipe: cli_options.Recipe = None,
    data: cli_options.Data = None,
    klue: cli_options.Klue = None,
    tasks: cli_options.Tasks = None,
    init: cli_options.Init = None,
    model: cli_options.Model = None,
    claim: cli_options.Claim = None,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Read KLUE's rows, look for MODEL= and CLAIM=, before hours of work."""
    typed = read_preset(
        preset, overrides, recipe=recipe, klue=klue, tasks=tasks, init=init, model=model
    )
    if claim:
        check_claim(claim, typed)
    check_inputs(typed, data, artifacts)


for tool in (
    recipe,
    task,
    tokenizer_report,
    report,
    status,
    settings,
    plan,
    scaling,
    claim,
    generate,
    predict,
    export,
    publish,
    clean,
):
    app.command()(tool)


def main() -> None:
    """Run the command that was typed; end with its exit status, or with one message, also where
    several processes have the same to say."""
    try:
        run_command()
    except SystemExit as ended:
        if ended.code == INTERRUPTED and speaks_first():
            print("stopped; the same command continues what can be continued", file=sys.stderr)
        if isinstance(ended.code, str) and not speaks_first():
            sys.exit(1)
        raise


def run_command() -> None:
    """Run the command that was typed, and turn what the user can mend into SystemExit."""
    if sys.platform == "linux":  # elsewhere Arrow has no jemalloc
        # Arrow's default allocator, mimalloc, keeps 60 MB more, and more with every shard. Arrow
        # reads this once, when it is imported: here, so that worker processes inherit it.
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
    try:
        meet()  # before anything is read: the first process tells what's wrong, for all
        app()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # `make settings | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.errno not in MENDABLE_ERRORS:
            raise
        sys.exit(
            f"error: {error.filename or 'artifacts'}: {error.strerror}. Finished work is kept; "
            "make room or give write access, then run the same command again."
        )
