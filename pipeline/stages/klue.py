"""The KLUE stage: fine-tunes and scores a model on each task, beside its random twin and two baselines. Every finished
run leaves its predictions on disk; all figures are computed from those files, so a stopped stage goes on from there."""
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from corpora.contamination import DECONTAMINATED, fingerprint
from corpora.klue import HUB_NAME, HUB_REVISION, SPLITS, TASKS, Task, is_sample, load_rows, parse_tasks
from pipeline.artifact import append_json, write_card, write_json, write_text
from pipeline.evaluation import baselines
from pipeline.evaluation.finetune import Reader, fine_tune
from pipeline.evaluation.metrics import absent_labels, interval, score
from pipeline.model_folder import model_folder

ENOUGH_SEEDS = 3
ARMS = {"majority": "majority label", "tfidf": "TF-IDF + linear SVM", "random": "random twin",
        "pretrained": "pretrained"}
"""Rows of the table, in order. The twin has the same config as the pretrained model, and random weights."""


def run(settings, inputs: dict[str, Path], folder: Path, context) -> dict:
    """Tasks x (baselines, then random twin and pretrained x seeds) -> predictions, metrics.json and the table."""
    tasks = parse_tasks(settings.tasks)
    model = model_folder(settings.model) if settings.model else inputs["pretrain"]
    reader = Reader(model, settings.max_length)
    results = {task.name: run_task(task, settings, reader, model, folder, context.device) for task in tasks}
    lacking = [f"{settings.seeds} seed{'s' * (settings.seeds > 1)}"] if settings.seeds < ENOUGH_SEEDS else []
    metrics = {"model": settings.model or "this model", "sample": is_sample(settings.data),
               "lacking": [*lacking, *([] if settings.control else ["no random twin"])],
               "settings": asdict(settings), "tasks": results,
               **({"hub": f"{HUB_NAME}@{HUB_REVISION}"} if settings.data == "hub" else {})}
    write_json(folder / "metrics.json", metrics)
    write_card(folder / "table.md", "klue", metrics=metrics, tasks=TASKS, arm_titles=ARMS)
    return {name: {"rows": result["rows"], **{arm: values["mean"] for arm, values in result["arms"].items()}}
            for name, result in results.items()}


def run_task(task: Task, settings, reader: Reader, model: Path, folder: Path, device: str) -> dict:
    """All arms of one task; those whose predictions lie in `folder` aren't run again."""
    train, validation = (load_rows(settings.data, task, split) for split in SPLITS)
    inputs, num_cut = reader.encode(task, train)
    validation_inputs, num_validation_cut = reader.encode(task, validation)
    targets_N = np.array([task.target(row) for row in train])
    drawn = [train[row] for row in draw(len(train), settings.train_rows, seed=1)]

    def predict(arm: str, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
        if arm == "majority":
            return baselines.majority(task, drawn, validation), None
        if arm == "tfidf":
            return baselines.tfidf(task, drawn, validation)
        rows = draw(len(train), settings.train_rows, seed)
        output = fine_tune(reader, model, task, [inputs[row] for row in rows], targets_N[rows], validation_inputs,
                           settings, seed, arm == "pretrained", device)
        return (output, None) if task.regression else (output.argmax(1), output)

    gold_N = np.array([task.target(row) for row in validation])
    seen = {row["sentence"] for row in train} if task.entities else set()
    new_N = np.array([row.get("sentence") not in seen for row in validation])
    arms = {}
    for arm in (arm for arm in ARMS if settings.control or arm != "random"):
        seeds = range(1, settings.seeds + 1) if arm in ("random", "pretrained") else [0]
        found = {seed: predict_once(task, arm, seed, predict, validation, folder) for seed in seeds}
        arms[arm] = summarise(task, gold_N, found)
        if 0 < new_N.sum() < len(new_N):
            new = {seed: [each if each is None else each[new_N] for each in both] for seed, both in found.items()}
            arms[arm]["new_rows"] = summarise(task, gold_N[new_N], new)["mean"]
    return {"split": split_name(task, settings, len(validation)),
            "rows": {"train": len(drawn), "validation": len(validation)},
            "seen_rows": int((~new_N).sum()) if new_N.any() else 0, "official_rows": task.official_rows,
            "epochs": getattr(settings, f"epochs_{task.name}"), "texts": look_up_texts(task, validation, model),
            "cut_rows": {"train": num_cut, "validation": num_validation_cut},
            "absent_labels": absent_labels(task, gold_N), "arms": arms}


def look_up_texts(task: Task, validation: list[dict], model: Path) -> dict:
    """How many texts these rows have, and how many of them the model's pretraining text was searched for before it was
    used: None where that isn't known. The answer travels with the model."""
    texts = set(fingerprint([row[column] for row in validation for column in task.texts]))
    path = model / DECONTAMINATED
    known = json.loads(path.read_text(encoding="utf-8")).get(f"{task.name} validation", []) if path.exists() else None
    return {"all": len(texts), "looked_for": None if known is None else len(texts.intersection(known))}


def predict_once(task: Task, arm: str, seed: int, predict: Callable, validation: list[dict],
                 folder: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Predictions (N,) and scores (N, C) of one run, from its file, which is written first if it isn't there."""
    path = folder / "predictions" / (f"{task.name}-{arm}-{seed}.jsonl" if seed else f"{task.name}-{arm}.jsonl")
    if not path.exists():
        start = time.monotonic()
        predicted_N, scores_NC = predict(arm, seed)
        lines = [{"guid": row["guid"], "label": task.target(row), "prediction": value}
                 for row, value in zip(validation, predicted_N.tolist())]
        for line, scores in zip(lines, [] if scores_NC is None else scores_NC.tolist()):
            line["scores"] = [float(f"{value:.6g}") for value in scores]
        write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        append_json(folder / "logs" / "runs.jsonl", task=task.name, arm=arm, seed=seed,
                    seconds=round(time.monotonic() - start, 2))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    scores = [row["scores"] for row in rows if "scores" in row]
    return np.array([row["prediction"] for row in rows]), np.array(scores) if scores else None


def summarise(task: Task, gold_N: np.ndarray, found: dict[int, tuple[np.ndarray, np.ndarray | None]]) -> dict:
    """Every seed's metrics, their mean and sample standard deviation, and the interval of the mean."""
    seeds = {seed: score(task, gold_N, predicted_N, scores_NC) for seed, (predicted_N, scores_NC) in found.items()}
    mean, sd = {}, {}
    for metric in task.metrics:
        values = [each[metric] for each in seeds.values()]
        mean[metric] = None if None in values else float(np.mean(values))
        sd[metric] = None if None in values or len(values) == 1 else float(np.std(values, ddof=1))
    return {"seeds": seeds, "mean": mean, "sd": sd,
            "interval": interval(task, gold_N, [predicted_N for predicted_N, _ in found.values()])}


def draw(num_rows: int, wanted: int, seed: int) -> np.ndarray:
    """Numbers of the train rows to use: all of them, or `wanted` drawn by the seed, the same for every arm."""
    everything = np.arange(num_rows)
    return np.random.default_rng(seed).permutation(everything)[:wanted] if 0 < wanted < num_rows else everything


def split_name(task: Task, settings, num_rows: int) -> str:
    """Which part of KLUE's own validation split these rows are, for the table's heading."""
    if is_sample(settings.data):
        return "sample"
    part = num_rows / task.official_rows["validation"]
    return "dev" if part == 1 else "half dev" if 0.45 <= part <= 0.55 else "part of dev"
