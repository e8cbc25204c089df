"""The KLUE stage: fine-tunes and scores a model on each task, beside its random twin and two baselines. Every finished
run leaves its predictions on disk; all figures are computed from those files, so a stopped stage goes on from there."""
import json
import time
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
import xxhash

from corpora.contamination import DECONTAMINATED, fingerprint
from corpora.errors import require
from corpora.tasks.rows import is_sample, load_rows
from corpora.tasks.task import HUB_NAME, HUB_REVISION, SPLITS, TASKS, Task, find_tasks
from pipeline.artifacts.files import append_json, write_json, write_text
from pipeline.evaluation import baselines
from pipeline.evaluation.finetune import fine_tune, fine_tune_language, num_steps
from pipeline.evaluation.inputs import Reader
from pipeline.evaluation.metrics import confusion, decide, interval, score
from pipeline.evaluation.noise import NOISES, noisy
from pipeline.models.folder import model_folder
from pipeline.reports.plots import plot_learning
from pipeline.reports.render import write_page

ENOUGH_SEEDS = 3
ARMS = {"majority": "majority label", "tfidf": "TF-IDF + linear SVM", "random": "random twin",
        "pretrained": "pretrained", "language": "pretrained, language head", "joint": "one model for all tasks"}
"""Rows of the table, in order. The twin has the same config as the pretrained model, and random weights."""
HEADS = {"linear": ("random", "pretrained"), "language": ("language",), "joint": ("joint",)}
CURVE = (100, 300, 1000, 3000, 10000)


@dataclass
class Rows:
    """One task's rows. `validation` ends with its noisy copies; `parts` says which rows are which: clean, each noise
    and, where sentences of some clean ones stand in train, new_rows: the others."""
    task: Task
    train: list[dict]
    validation: list[dict]
    gold_N: np.ndarray
    parts: dict[str, np.ndarray]


def read(task: Task, settings) -> Rows:
    """The task's rows. With settings.held_out an eighth of train stands in for validation, which isn't read at all:
    rows of the same first text are on the same side."""
    train = load_rows(settings.data, task, SPLITS[0])
    if settings.held_out:
        out = [xxhash.xxh3_64_intdigest(row[task.texts[0]].encode()) % 8 == 0 for row in train]
        validation, train = list(compress(train, out)), [row for row, is_out in zip(train, out) if not is_out]
    else:
        validation = load_rows(settings.data, task, SPLITS[1])
    kinds = ["clean", *(NOISES if settings.noise else ())]
    rows = [row if kind == "clean" else noisy(task, row, kind) for kind in kinds for row in validation]
    kind_N = np.repeat(kinds, len(validation))
    parts = {kind: kind_N == kind for kind in kinds}
    seen = {row["sentence"] for row in train} if task.entities else set()
    new_N = parts["clean"] & [row.get("sentence") not in seen for row in rows]
    if 0 < new_N.sum() < len(validation):
        parts["new_rows"] = new_N
    return Rows(task, train, rows, np.array([task.target(row) for row in rows]), parts)


def run(settings, inputs: dict[str, Path], folder: Path, context) -> dict:
    """Tasks x (baselines, then the heads x seeds) -> predictions, metrics.json and the table."""
    tasks, heads = find_tasks(settings.tasks), settings.head
    model = model_folder(settings.model) if settings.model else inputs["pretrain"]
    reader = Reader(model, settings.max_length)
    require(reader.causal or (heads == ("linear",) and not settings.lm_weight), f"{model}: no causal language model, as "
            f"klue.head={' '.join(heads)} with klue.lm_weight={settings.lm_weight:g} needs.")
    rows = {task.name: read(task, settings) for task in tasks}
    runs = Runs(settings, reader, model, rows, folder, context.device)
    arms = [arm for arm in ARMS if arm in ("majority", "tfidf") or
            (any(arm in HEADS[head] for head in heads) and (settings.control or arm != "random"))]
    results = {task.name: run_task(rows[task.name], arms, runs, settings) for task in tasks}
    lacking = [f"{settings.seeds} seed{'s' * (settings.seeds > 1)}"] if settings.seeds < ENOUGH_SEEDS else []
    metrics = {"model": settings.model or "this model", "sample": is_sample(settings.data),
               "lacking": [*lacking, *([] if "random" in arms else ["no random twin"])],
               "settings": settings.model_dump(mode="json"), "tasks": results,
               **({"hub": f"{HUB_NAME}@{HUB_REVISION}"} if settings.data == "hub" else {})}
    write_json(folder / "metrics.json", metrics)
    write_page(folder / "table.md", "klue", metrics=metrics, tasks=TASKS, arm_titles=ARMS, noises=list(NOISES))
    write_page(folder / "classes.md", "klue_classes", metrics=metrics, tasks=TASKS, arm_titles=ARMS)
    if settings.curve:
        plot_learning(folder / "learning_curve.png", [(task, results[task.name]["curve"]) for task in tasks], ARMS)
    return {name: {"rows": result["rows"], **{arm: values["mean"] for arm, values in result["arms"].items()}}
            for name, result in results.items()}


def run_task(rows: Rows, arms: list[str], runs: "Runs", settings) -> dict:
    """All arms of one task; those whose predictions lie in the folder aren't run again."""
    task, parts, results = rows.task, dict(rows.parts), {}
    clean_N = parts.pop("clean")
    gold_N, clean = rows.gold_N[clean_N], list(compress(rows.validation, clean_N))
    found = {arm: runs.all(arm, task, settings.train_rows) for arm in arms}
    outputs = {arm: [output[clean_N] for output in found[arm].values()] for arm in arms}
    for number, arm in enumerate(arms):
        results[arm] = {
            **summarise(rows, found[arm], clean_N), "confusion": confusion(task, gold_N, outputs[arm]),
            **{name: summarise(rows, found[arm], part_N)["mean"] for name, part_N in parts.items()},
            "above": {other: interval(task, gold_N, outputs[arm], outputs[other]) for other in arms[:number]}}
    sizes = {size: size for size in CURVE if size < len(rows.train)} | {len(rows.train): 0}
    curve = {arm: {number: summarise(rows, runs.all(arm, task, size), clean_N) for number, size in sizes.items()}
             for arm in ("tfidf", *HEADS["linear"]) if arm in arms} if settings.curve else {}
    drawn = min(settings.train_rows or len(rows.train), len(rows.train))
    return {"split": split_name(task, settings, len(clean)), "rows": {"train": drawn, "validation": len(clean)},
            "seen_rows": int(len(clean) - rows.parts["new_rows"].sum()) if "new_rows" in rows.parts else 0,
            "official_rows": task.official_rows, "steps": num_steps(task, drawn, settings),
            "texts": look_up_texts(task, clean, runs.model), "arms": results, "curve": curve,
            "cut_rows": {kind: sum(num_cut for *_, num_cut in made[task.name]) for kind, made in runs.encoded.items()},
            "absent_labels": [name for label, name in enumerate(task.labels) if label not in gold_N]}


class Runs:
    """Every arm's predictions: made when they are first asked for, kept in files, and read from there."""

    def __init__(self, settings, reader: Reader, model: Path, rows: dict[str, Rows], folder: Path, device: str):
        self.settings, self.reader, self.model, self.rows = settings, reader, model, rows
        self.folder, self.device = folder, device
        kinds = {"inputs": reader.encode} | ({} if settings.head == ("linear",) else {"prompts": reader.encode_prompts})
        self.encoded = {kind: {name: [encode(mine.task, side) for side in (mine.train, mine.validation)]
                               for name, mine in rows.items()} for kind, encode in kinds.items()}

    def all(self, arm: str, task: Task, size: int) -> dict[int, np.ndarray]:
        """Predictions (N,) or scores (N, C) by seed, from `size` train rows that the seed draws; 0 is all of them."""
        seeds = [0] if arm in ("majority", "tfidf") and not size else range(1, self.settings.seeds + 1)
        return {seed: self.once(arm, task, size, seed) for seed in seeds}

    def once(self, arm: str, task: Task, size: int, seed: int) -> np.ndarray:
        def path_of(name: str) -> Path:
            parts = (name, arm, f"{size}rows" if size else "", str(seed or ""))
            return self.folder / "predictions" / ("-".join(filter(None, parts)) + ".jsonl")

        if not path_of(task.name).exists():
            start = time.monotonic()
            for name, output in self.make(arm, task, size, seed).items():
                output = np.vectorize(lambda value: float(f"{value:.6g}"))(output) if output.ndim == 2 else output
                lines = [{"guid": row["guid"], "label": TASKS[name].target(row), "prediction": value}
                         | ({"scores": scores} if output.ndim == 2 else {}) for row, value, scores in zip(
                             self.rows[name].validation, decide(output).tolist(), output.tolist())]
                write_text(path_of(name), "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
            append_json(self.folder / "logs" / "runs.jsonl", task=task.name, arm=arm, rows=size, seed=seed,
                        seconds=round(time.monotonic() - start, 2))
        rows = [json.loads(line) for line in path_of(task.name).read_text(encoding="utf-8").splitlines()]
        return np.array([row.get("scores", row["prediction"]) for row in rows])

    def make(self, arm: str, task: Task, size: int, seed: int) -> dict[str, np.ndarray]:
        """One run's predictions or scores: of this task, or of all where one model does them all."""
        mine, settings = self.rows[task.name], self.settings
        drawn = draw(len(mine.train), size, seed)
        train = [mine.train[row] for row in drawn]
        if arm in ("majority", "tfidf"):
            return {task.name: getattr(baselines, arm)(task, train, mine.validation)}
        if arm in HEADS["linear"]:
            (inputs, _), (validation, _) = self.encoded["inputs"][task.name]
            targets_N = np.array([task.target(row) for row in train] * len(task.orders))
            inputs = [inputs[row + first] for first in range(0, len(inputs), len(mine.train)) for row in drawn]
            return {task.name: fine_tune(self.reader, self.model, task, inputs, targets_N, validation, settings, seed,
                                         arm == "pretrained", self.device)}
        tasks, steps = {}, 0
        for each in self.rows.values() if arm == "joint" else [mine]:
            (prompts, words, _), (validation, _, _) = self.encoded["prompts"][each.task.name]
            drawn = draw(len(each.train), size, seed)
            numbers = [round(each.task.target(each.train[row])) for row in drawn]
            tasks[each.task.name] = [prompts[row] for row in drawn], words, numbers, validation
            steps += num_steps(each.task, len(drawn), settings)
        return fine_tune_language(self.reader, self.model, tasks, settings, seed, steps, self.device)


def look_up_texts(task: Task, validation: list[dict], model: Path) -> dict:
    """How many texts these rows have, and how many of them the model's pretraining text was searched for before it was
    used: None where that isn't known. The answer travels with the model."""
    texts = set(fingerprint([row[column] for row in validation for column in task.texts]))
    path = model / DECONTAMINATED
    known = json.loads(path.read_text(encoding="utf-8")).get(f"{task.name} validation", []) if path.exists() else None
    return {"all": len(texts), "looked_for": None if known is None else len(texts.intersection(known))}


def summarise(rows: Rows, found: dict[int, np.ndarray], part_N: np.ndarray) -> dict:
    """Every seed's metrics on a part of the rows, their mean and sample standard deviation, the mean's interval."""
    task, gold_N, found = rows.task, rows.gold_N[part_N], {seed: output[part_N] for seed, output in found.items()}
    seeds = {seed: score(task, gold_N, output) for seed, output in found.items()}
    mean, sd = {}, {}
    for metric in task.metrics:
        values = [each[metric] for each in seeds.values()]
        mean[metric] = None if None in values else float(np.mean(values))
        sd[metric] = None if None in values or len(values) == 1 else float(np.std(values, ddof=1))
    return {"seeds": seeds, "mean": mean, "sd": sd, "interval": interval(task, gold_N, [*found.values()])}


def draw(num_rows: int, wanted: int, seed: int) -> np.ndarray:
    """Numbers of the train rows to use: all of them, or `wanted` drawn by the seed, the same for every arm."""
    return np.random.default_rng(seed).permutation(num_rows)[:wanted] if 0 < wanted < num_rows else np.arange(num_rows)


def split_name(task: Task, settings, num_rows: int) -> str:
    """Which part of KLUE's own validation split these rows are, for the table's heading."""
    if settings.held_out:
        return "held out of train"
    if is_sample(settings.data):
        return "sample"
    part = num_rows / task.official_rows["validation"]
    return "dev" if part == 1 else "half dev" if 0.45 <= part <= 0.55 else "part of dev"
