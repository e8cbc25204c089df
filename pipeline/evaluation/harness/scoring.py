"""The project's calls of lm-evaluation-harness: a task file run on a model. It is imported when it
is first used: that takes seconds."""

import io
import json
import logging
import sys
from contextlib import nullcontext, redirect_stderr
from pathlib import Path
from typing import Any

from corpora.tasks.task import Task
from pipeline.artifacts.files import write_text

TASK_FILES = Path(__file__).parent
CALIBRATED = "calibrated_"
"""Prefix of a metric's name for its value after calibration."""

# It warns of every task and model that is used as meant.
logging.getLogger("lm_eval").setLevel(logging.ERROR)


def open_model(folder: Path, device: str, batch_size: int) -> Any:
    """Load a model for `run_task_file`, as the harness's own command does with `--model_args
    pretrained=FOLDER,dtype=float32`."""
    from lm_eval.models.huggingface import HFLM

    wrapper: Any = HFLM  # its decorator hides its arguments from pyright
    return wrapper(str(folder), dtype="float32", device=device, batch_size=batch_size)


def write_task_file(task: Task, toml: str, folder: Path) -> str:
    """Write the task file of a task of one's own, whose rows and prompts are in `toml`, and return
    its name."""
    name = f"own_{task.name}"
    functions = "!function pipeline.evaluation.harness.task_functions"
    lines = [f"include: {json.dumps(str(TASK_FILES / 'common.yaml'))}", f"task: {name}"]
    lines += ["metadata:", "  version: 1", f"  task: {json.dumps(toml, ensure_ascii=False)}"]
    lines.append("metric_list:")
    for metric in (*task.metrics, *(CALIBRATED + metric for metric in task.metrics)):
        lines += [f"  - metric: {metric}", f"    aggregation: {functions}.aggregate"]
        lines.append("    higher_is_better: true")
    write_text(folder / f"{name}.yaml", "\n".join([*lines, ""]))
    return name


def run_task_file(
    model: Any, name: str, metadata: dict[str, Any], folder: Path = TASK_FILES
) -> dict[str, Any]:
    """Run the task file NAME.yaml of a folder on a model, with these arguments for its functions.

    Returns the harness's own results: {"results": {NAME: ...}, "samples": {NAME: [...]}, ...}.
    """
    import lm_eval
    from lm_eval.tasks import TaskManager

    evaluate: Any = lm_eval.evaluate  # its decorator hides its arguments from pyright
    task_files = TaskManager(include_path=str(folder), include_defaults=False, metadata=metadata)
    # Its progress bars don't ask whether they are on a terminal.
    with nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO()):
        # Not simple_evaluate, which does the same and then lists every package with pip.
        return evaluate(model, task_files.load([name]), bootstrap_iters=0)
