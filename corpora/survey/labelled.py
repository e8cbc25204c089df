"""A file of labelled rows -> a task to start from: which columns are the texts and the label, and
how it may be scored."""

import glob
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from corpora.errors import UserError, require
from corpora.source_keys import ROWS
from corpora.sources.formats.columns import RowSource
from corpora.sources.read import read_file
from corpora.survey.fields import guess_text
from corpora.survey.look import look_at
from corpora.tasks.task import order_labels

NUM_ROWS: Final = 5000  # looked at
MOST_LABELS: Final = 50
LABEL_NAMES: Final = (
    "label", "labels", "gold_label", "class", "category", "sentiment", "emotion", "topic",
    "target", "score", "rating", "real-label", "라벨", "레이블", "감정", "감성", "분류", "주제",
    "점수", "평점",
)  # fmt: skip
"""Names that decide between columns that could be the label."""
PAIRS: Final = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("text_a", "text_b"),
    ("text", "text_pair"),
    ("question", "answer"),
    ("question1", "question2"),
    ("문장1", "문장2"),
    ("질문", "답변"),
)
"""Names of two texts that belong together."""
SPLITS: Final = re.compile(r"(?i)train(ing)?")
OTHER_SPLITS: Final = ("validation", "valid", "dev", "test", "eval", "val")


@dataclass
class TaskProposal:
    """A task to propose: its settings, and what each guess rests on."""

    settings: dict[str, Any]
    remarks: dict[str, str] = field(default_factory=dict)  # by the setting
    examples: list[tuple[str, str]] = field(default_factory=list)  # some texts and their labels


def find_task(path: Path) -> TaskProposal:
    """Look at a file of labelled rows.

    Raises UserError for one without columns or keys, without a text, or without a label.
    """
    look = look_at(path)[0]
    require(
        look.format in ROWS,
        f"{path}: read as {look.format}: labelled rows are tables, JSON or Parquet.",
    )
    first = guess_text(look.samples)
    rows = [_flatten(row) for row in _read_rows(path, look.format, look.settings, first)]
    prefix = f"{first.partition('[]')[0]}[]." if "[]" in first else ""
    columns = [name for name in rows[0] if sum(name in row for row in rows) > 0.9 * len(rows)]
    text = first.removeprefix(prefix)
    require(text in columns, f"{path}: no column or key of it holds text in all rows.")
    texts = next((pair for pair in PAIRS if text in pair and set(pair) <= set(columns)), (text,))
    label = _guess_label([name for name in columns if name not in texts], rows, path)
    values = [row[label] for row in rows if row.get(label) not in (None, "")]
    settings = {key: look.settings[key] for key in ("delimiter", "columns") if key in look.settings}
    if "format" in look.settings:
        settings = {"format": look.settings["format"]} | settings
    settings |= {"texts": [prefix + name for name in texts], "label": prefix + label}
    proposal = TaskProposal(settings)
    proposal.remarks["texts"] = f"of {', '.join(columns)}"
    _propose_metric(proposal, values)
    _propose_splits(proposal, path)
    shown = [(str(row[text]), str(row[label])) for row in rows if str(row.get(text) or "").strip()]
    proposal.examples = shown[:3]
    return proposal


def _read_rows(path: Path, name: str, settings: dict[str, Any], text: str) -> list[Any]:
    table = {"name": "task", "kind": "files", "licence": "", "paths": ("*",), "fields": ()}
    table |= {"text": text, "format": name}
    table |= {key: settings[key] for key in ("delimiter", "members") if key in settings}
    if "columns" in settings:
        table["columns"] = tuple(settings["columns"])
    source = RowSource.model_validate(table)
    records = list(islice(read_file(source, path, str(path)), NUM_ROWS))
    rows = [record.row[0] for record in records if record.row]
    if not rows:
        raise UserError(f"{path}: no row in it can be read: {records[0].reason}.")
    return rows


def _flatten(row: Any, prefix: str = "") -> dict[str, Any]:
    """A row's values by their paths, through objects but not lists."""
    values: dict[str, Any] = {}
    for key, value in row.items() if isinstance(row, dict) else ():
        if isinstance(value, dict):
            values |= _flatten(value, f"{prefix}{key}.")
        elif not isinstance(value, list):
            values[prefix + key] = value
    return values


def _guess_label(columns: list[str], rows: list[dict[str, Any]], path: Path) -> str:
    """The column with a label's name, or with the fewest values that come again and again."""
    named = [name for name in columns if name.rpartition(".")[2].lower() in LABEL_NAMES]
    if named:
        return min(named, key=lambda name: LABEL_NAMES.index(name.rpartition(".")[2].lower()))
    counts = {name: len({str(row.get(name)) for row in rows}) for name in columns}
    few = {name: count for name, count in counts.items() if 2 <= count <= len(rows) / 2}
    few = {name: count for name, count in few.items() if count <= MOST_LABELS}
    require(few, f"{path}: no column of it looks like a label: {', '.join(columns) or 'no other'}.")
    return min(few, key=lambda name: few[name])


def _propose_metric(proposal: TaskProposal, values: list[Any]) -> None:
    names = Counter(str(value) for value in values)
    numbers = [number for value in values if (number := _as_number(value)) is not None]
    are_scores = len(numbers) == len(values) and (
        len(names) > MOST_LABELS or any(number % 1 for number in numbers)
    )
    settings = proposal.settings
    if are_scores:
        settings |= {"metrics": ["pearson"], "lowest": min(numbers), "highest": max(numbers)}
        proposal.remarks["lowest"] = "and highest: of the first rows; set the limits of the scale"
        return
    settings["metrics"] = ["accuracy" if len(names) == 2 else "macro_f1"]
    if len(names) <= MOST_LABELS:
        settings["labels"] = list(order_labels(names))
    counts = ", ".join(f"{name}: {count}" for name, count in names.most_common(10))
    proposal.remarks["metrics"] = f"the first rows' labels are {counts}"


def _as_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _propose_splits(proposal: TaskProposal, path: Path) -> None:
    """The file, and one beside it whose name says another split in the place of train."""
    proposal.settings["train"] = [path.name]
    for split in OTHER_SPLITS:
        other = path.with_name(SPLITS.sub(split, path.name, count=1))
        if other != path and other.is_file():
            proposal.settings["validation"] = [other.name]
            proposal.remarks["validation"] = "by its name"
            return
    proposal.settings["held_out"] = 0.1
    proposal.remarks["held_out"] = "of the rows: no file beside it is named as another split"


def write_task(proposal: TaskProposal, folder: str) -> str:
    """Return the task in TOML, its files under `folder`."""
    lines = [
        "# Written by `make task` from what it found; a guess says what it rests on. Correct what",
        "# is wrong, state the licence, and see corpora/tasks/task.py for all that can be set.",
        'licence = "unknown"',
    ]
    for key, found in proposal.settings.items():
        value = found
        if key in ("train", "validation"):
            value = [f"{folder}{glob.escape(name)}" for name in found]
        if key in proposal.remarks:
            lines.append(f"# {key}: {proposal.remarks[key]}")
        lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    lines += [
        '# label_names = ["..."]  # what labels are called in tables, if not as in the rows',
        "# For make klue-prompt and klue.head=language: a text with the columns' names in braces,",
        "# which a label's word continues.",
        '# prompts = ["{...}\\n답:"]',
        '# words = ["..."]',
    ]
    return "\n".join([*lines, ""])
