"""The prompt stage: zero-, one- and few-shot scores of a causal model on KLUE by lm-evaluation-harness, over several
prompts and draws of shots. Every finished run leaves its likelihoods on disk; a stopped stage goes on from there."""
import io
import json
import sys
import time
from contextlib import nullcontext, redirect_stderr
from functools import cache, partial
from itertools import product
from pathlib import Path

import numpy as np

from corpora.errors import require
from corpora.tasks.rows import is_sample
from corpora.tasks.task import TASKS, Task, find_tasks
from pipeline.artifacts.files import append_json, write_json
from pipeline.evaluation.inputs import Reader
from pipeline.evaluation.metrics import interval
from pipeline.evaluation.prompting import CALIBRATED, PROMPTS, TASK_FILES, answer, calibrate
from pipeline.models.folder import model_folder
from pipeline.reports.render import write_page


def run(settings, inputs: dict[str, Path], folder: Path, context) -> dict:
    """Tasks x shots x prompts x seeds -> runs/*.json, metrics.json and the table."""
    tasks, model = find_tasks(settings.tasks), model_folder(settings.model) if settings.model else inputs["pretrain"]
    # Reader refuses a folder whose tokenizer and model don't fit.
    require(Reader(model, 16).causal, f"{model}: no causal language model: it can't go on from a prompt.")
    shots = list(settings.shots)
    run_with = partial(run_task, settings=settings, model=model, folder=folder, device=context.device)
    results = {task.name: {number: run_with(task, number) for number in shots} for task in tasks}
    metrics = {"model": settings.model or "this model", "sample": is_sample(settings.data), "tasks": results,
               "versions": {task.name: PROMPTS[task.name]["version"] for task in tasks}, "settings": settings.model_dump(mode="json")}
    write_json(folder / "metrics.json", metrics)
    write_page(folder / "table.md", "prompt", metrics=metrics, tasks=TASKS, calibrated=CALIBRATED)
    return {name: {f"{number}-shot": result["mean"] for number, result in found.items()}
            for name, found in results.items()}


def run_task(task: Task, shots: int, settings, model: Path, folder: Path, device: str) -> dict:
    """All prompts and draws of one task with so many shots: each run's values, their mean and spread, an interval."""
    draws = range(1, settings.seeds + 1 if shots else 2)  # without shots there's nothing to draw
    runs = [run_once(task, shots, prompt, seed, settings, model, folder, device)
            for prompt, seed in product(range(1, len(PROMPTS[task.name]["prompts"]) + 1), draws)]
    values = {metric: [each["values"][metric] for each in runs] for metric in runs[0]["values"]}
    gold_N = np.array(runs[0]["gold"], dtype=float if task.regression else int)
    scores = [np.array(each["scores"]) for each in runs]
    made = {"": scores, CALIBRATED: map(calibrate, scores)}
    return {"runs": [{key: each[key] for key in ("prompt", "seed", "values", "shots", "cut")} for each in runs],
            "rows": len(gold_N), "shots": float(np.mean([each["shots"] for each in runs])),
            "cut": max(each["cut"] for each in runs),
            "mean": {metric: float(np.mean(found)) for metric, found in values.items()},
            "least": {metric: min(found) for metric, found in values.items()},
            "most": {metric: max(found) for metric, found in values.items()},
            "interval": {prefix + task.primary: interval(task, gold_N, [answer(task, each) for each in found])
                         for prefix, found in made.items()}}


def run_once(task: Task, shots: int, prompt: int, seed: int, settings, model: Path, folder: Path, device: str) -> dict:
    """One run of the harness, from its file, which is written first if it isn't there: the metrics, the mean number of
    whole shots, how many rows were cut, and every row's words' log-likelihoods."""
    path = folder / "runs" / f"{task.name}-{shots}-{prompt}-{seed}.json"
    if not path.exists():
        from lm_eval import simple_evaluate
        from lm_eval.tasks import TaskManager
        metadata = {"klue": settings.data, "shots": shots, "prompt": prompt, "seed": seed, "rows": settings.rows}
        print(f"prompt: {task.title}, {shots} shots, prompt {prompt}, seed {seed}", flush=True)
        start, name = time.monotonic(), f"klue_{task.name}"
        with nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO()):  # its bars
            found = simple_evaluate(open_model(model, device, settings.batch_size), tasks=[name], bootstrap_iters=0,
                                    task_manager=TaskManager(include_path=str(TASK_FILES), include_defaults=False,
                                                             metadata={"pretrained": str(model), **metadata}))
        samples = sorted(found["samples"][name], key=lambda sample: sample["doc_id"])
        documents = [sample["doc"] for sample in samples]
        append_json(folder / "logs" / "runs.jsonl", task=task.name, shots=shots, prompt=prompt, seed=seed,
                    seconds=round(time.monotonic() - start, 2))
        write_json(path, {
            "prompt": prompt, "seed": seed, "values": {prefix + metric: found["results"][name][f"{prefix}{metric},none"]
                       for prefix in ("", CALIBRATED) for metric in task.metrics},
            "shots": float(np.mean([document["shots"] for document in documents])),
            "cut": sum(document["cut"] for document in documents),
            "guid": [document["guid"] for document in documents], "gold": [document["gold"] for document in documents],
            "scores": [[likelihood for likelihood, _ in sample["filtered_resps"]] for sample in samples]})
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def open_model(folder: Path, device: str, batch_size: int):
    """The harness's own wrapper, as its command makes it of --model_args pretrained=FOLDER,dtype=float32."""
    from lm_eval.models.huggingface import HFLM
    return HFLM(str(folder), dtype="float32", device=device, batch_size=batch_size)
