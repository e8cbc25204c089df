"""The prompt stage: zero-, one- and few-shot scores of a causal model on KLUE, over several prompts
and draws of shots.

Every finished run leaves its likelihoods on disk; a stopped stage goes on from there."""

import time
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from corpora.errors import require
from corpora.tasks.rows import is_sample, load_task
from corpora.tasks.task import Task, describe_own, task_file
from pipeline.artifacts.files import append_json, read_json, write_json
from pipeline.evaluation.bootstrap import interval, resample
from pipeline.evaluation.harness.scoring import (
    CALIBRATED,
    TASK_FILES,
    open_model,
    run_task_file,
    write_task_file,
)
from pipeline.evaluation.inputs import SHORTEST_INPUT, Reader
from pipeline.evaluation.prompts import answer, calibrate, require_prompts
from pipeline.evaluation_settings import PromptSettings
from pipeline.executors import Context
from pipeline.models.folder import model_folder
from pipeline.reports.render import write_page


def run(
    settings: PromptSettings, inputs: dict[str, Path], folder: Path, context: Context
) -> dict[str, Any]:
    """Ask every task x shots x prompt x draw, and write runs/*.json, metrics.json and the table.

    Returns each task's mean metrics by shots for the manifest. Raises UserError for a model that
    can't go on from a prompt.
    """
    tasks = {name: load_task(name) for name in settings.tasks}
    for task in tasks.values():
        require_prompts(task)
    model = model_folder(settings.model) if settings.model else inputs["pretrain"]
    # Reader refuses a folder whose tokenizer and model don't fit.
    reader = Reader(model, SHORTEST_INPUT)
    require(
        reader.is_causal,
        f"{model}: no causal language model: it can't go on from a prompt.",
    )
    # lm-evaluation-harness gives no mask, without which such a model sees the pads and the answer.
    require(
        getattr(reader.config, "is_causal", True),
        f"{model}: it was fine-tuned to read prompts both ways (klue.both_ways): ask it by make "
        "predict.",
    )
    runs = Runs(settings, model, folder, context.device)
    results = {
        task.name: {shots: summarise(task, runs.ask(name, task, shots)) for shots in settings.shots}
        for name, task in tasks.items()
    }
    metrics = {
        "model": settings.model or "this model",
        "sample": is_sample(settings.data) and not all(task.is_own for task in tasks.values()),
        "tasks": results,
        "own_tasks": describe_own({task.name: task for task in tasks.values()}),
        "versions": {task.name: task.prompts_version for task in tasks.values()},
        "settings": settings.model_dump(mode="json"),
    }
    write_json(folder / "metrics.json", metrics)
    by_name = {task.name: task for task in tasks.values()}
    page = folder / "table.md"
    write_page(page, "prompt", metrics=metrics, tasks=by_name, calibrated=CALIBRATED)
    return {
        name: {f"{shots}-shot": figures["mean"] for shots, figures in by_shots.items()}
        for name, by_shots in results.items()
    }


@dataclass
class Runs:
    """Every run of the harness: made when first asked for, kept in a file, read from there."""

    settings: PromptSettings
    model: Path
    folder: Path  # runs/ gets the runs, logs/ the seconds of each
    device: str

    def ask(self, name: str, task: Task, shots: int) -> list[dict[str, Any]]:
        """Return all prompts' and draws' runs with so many shots; `name` is the task's, or its
        file's.

        Each has its metrics as `values`, the mean number of whole shots, how many rows were cut,
        and every row's words' log-likelihoods as `scores`.
        """
        prompts = range(1, len(task.prompts) + 1)
        num_draws = self.settings.seeds if shots else 1  # without shots there's nothing to draw
        draws = range(1, num_draws + 1)
        return [
            self._ask_once(name, task, shots, prompt, seed)
            for prompt, seed in product(prompts, draws)
        ]

    def _ask_once(
        self, name: str, task: Task, shots: int, prompt: int, seed: int
    ) -> dict[str, Any]:
        path = self.folder / "runs" / f"{task.name}-{shots}-{prompt}-{seed}.json"
        if not path.exists():
            said = f"prompt: {task.title}, {shots} shots, prompt {prompt}, seed {seed}"
            print(said, flush=True)
            start = time.monotonic()
            arguments = {"shots": shots, "prompt": prompt, "seed": seed}
            found = self._run_harness(name, task, arguments)
            seconds = round(time.monotonic() - start, 2)
            log = self.folder / "logs" / "runs.jsonl"
            append_json(log, task=task.name, **arguments, seconds=seconds)
            write_json(path, {"prompt": prompt, "seed": seed} | found)
        return read_json(path)

    def _run_harness(self, toml: str, task: Task, arguments: dict[str, int]) -> dict[str, Any]:
        name = f"klue_{task.name}"
        folder = TASK_FILES
        if task.is_own:
            folder = self.folder / "harness"
            name = write_task_file(task, str(task_file(toml).absolute()), folder)
        settings = self.settings
        where = {"pretrained": str(self.model), "klue": settings.data, "rows": settings.rows}
        found = run_task_file(self._harness_model, name, where | arguments, folder)
        samples = sorted(found["samples"][name], key=lambda sample: sample["doc_id"])
        documents = [sample["doc"] for sample in samples]
        metrics = [prefix + metric for prefix in ("", CALIBRATED) for metric in task.metrics]
        return {
            "values": {metric: found["results"][name][f"{metric},none"] for metric in metrics},
            "shots": float(np.mean([document["shots"] for document in documents])),
            "cut": sum(document["cut"] for document in documents),
            "guid": [document["guid"] for document in documents],
            "gold": [document["gold"] for document in documents],
            "scores": [[score for score, _ in sample["filtered_resps"]] for sample in samples],
        }

    @cached_property
    def _harness_model(self) -> Any:
        """Opened once, and not at all where every run is there."""
        return open_model(self.model, self.device, self.settings.batch_size)


def summarise(task: Task, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the runs' values, their mean and extremes, and the mean's interval, each of them plain
    and calibrated."""
    values = {metric: [run["values"][metric] for run in runs] for metric in runs[0]["values"]}
    gold_N = np.array(runs[0]["gold"], dtype=float if task.regression else int)
    scores = [np.array(run["scores"]) for run in runs]
    plain = [answer(task, scores_NC) for scores_NC in scores]
    calibrated = [answer(task, calibrate(scores_NC)) for scores_NC in scores]
    kept = ("prompt", "seed", "values", "shots", "cut")
    return {
        "runs": [{key: run[key] for key in kept} for run in runs],
        "rows": len(gold_N),
        "shots": float(np.mean([run["shots"] for run in runs])),
        "cut": max(run["cut"] for run in runs),
        "mean": {metric: float(np.mean(found)) for metric, found in values.items()},
        "least": {metric: min(found) for metric, found in values.items()},
        "most": {metric: max(found) for metric, found in values.items()},
        "interval": {
            task.primary: interval(resample(task, gold_N, plain)),
            CALIBRATED + task.primary: interval(resample(task, gold_N, calibrated)),
        },
    }
