"""What a saved model says of rows: the stage's own way of reading them, from the folder alone."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from corpora.errors import as_user_error, require
from corpora.tasks.composed import compose_row
from corpora.tasks.task import Row, Task
from pipeline.artifacts.files import read_json
from pipeline.evaluation.inputs import MARKERS, Reader
from pipeline.evaluation.linear_head import predict
from pipeline.evaluation.prompts import answer
from pipeline.evaluation.words import score_words
from pipeline.models.save import TOKENIZER_CONFIG

TASK_FILE = "task.json"
"""In a saved model's folder: its head, and its tasks."""
MARK = re.compile(f"({'|'.join(map(re.escape, MARKERS))})")
COLUMNS = {MARKERS[0]: "subject_entity", MARKERS[2]: "object_entity"}


class SavedModel:
    """A fine-tuned model from its folder, with what it was trained on."""

    def __init__(self, folder: Path, device: str) -> None:
        """Load it; raises UserError for a folder that isn't one of a fine-tuned model."""
        require(
            (folder / TASK_FILE).is_file(),
            f"{folder}: no fine-tuned model of `make klue-eval`: there's no {TASK_FILE} in it.",
        )
        about = read_json(folder / TASK_FILE)
        self.head: str = about["head"]
        self.tasks = [Task.from_table(each, str(folder / TASK_FILE)) for each in about["tasks"]]
        self.device = device
        with as_user_error(f"{folder}: can't be loaded"):
            longest = read_json(folder / TOKENIZER_CONFIG)["model_max_length"]
            self.reader = Reader(folder, longest)
            kind: Any = AutoModelForSequenceClassification
            if self.head != "linear":
                kind = AutoModelForCausalLM
            options = {"use_safetensors": True, "local_files_only": True}
            self.model = kind.from_pretrained(folder, **options).to(device).eval()

    def answer(self, task: Task, rows: list[Row]) -> np.ndarray:
        """Return the labels' shares (N, C), or scores (N,), as the stage computes them.

        Of a task with entities these are marked in the sentence, with the words for their types
        before them if the model was trained so. Raises UserError for marks that
        are missing.
        """
        if task.entities:
            rows = [find_entities(row["sentence"], task) for row in rows]
        rows = [compose_row(row, task) for row in rows]
        if self.head != "linear":
            prompts = self.reader.encode_prompts(task, rows).ids
            words = self.reader.encode_words(task)
            return answer(task, score_words(self.model, prompts, words, self.device))
        inputs = self.reader.encode(task, rows).ids
        return predict(self.model, task, inputs, self.reader.pad, self.device)


def find_entities(marked: str, task: Task) -> Row:
    """Return the row that a sentence with marks around its subject and its object is; a word for a
    type before an entity is its type.

    Raises UserError for a sentence that hasn't each mark once, the closing one behind the other.
    """
    parts = MARK.split(marked)  # text and marks in turn
    require(
        parts[1::2] in (list(MARKERS), [*MARKERS[2:], *MARKERS[:2]]),
        f"{marked[:100]!r}: mark the two entities: <subj>...</subj> and <obj>...</obj>, each once.",
    )
    types = {word: name for name, word in task.entity_types.items()}
    row: Row = {"sentence": parts[0]}
    for opening, inside, after in ((parts[1], parts[2], parts[4]), (parts[5], parts[6], parts[8])):
        require(inside.strip(), f"{marked[:100]!r}: nothing behind {opening}.")
        type_word, _, rest = inside.partition(" ")
        is_typed = type_word in types and rest.strip()
        word = rest if is_typed else inside
        start = len(row["sentence"])
        row["sentence"] += word + after
        row[COLUMNS[opening]] = {
            "word": word,
            "start_idx": start,
            "end_idx": start + len(word) - 1,
            "type": types[type_word] if is_typed else "",
        }
    return row
