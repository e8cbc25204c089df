"""The tokenizer of a fine-tuned model. It puts the start, the separator and the end where the model
had them, so that a text, or a pair of texts, is all that has to be given."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora.errors import require
from corpora.tasks.task import Task
from pipeline.artifacts.files import read_json, write_json
from pipeline.evaluation.inputs import MARKERS, Reader
from pipeline.models.save import TOKENIZER_CONFIG

TOKENIZER = "tokenizer.json"
NAMES_OF_SPECIAL = ("additional_special_tokens", "extra_special_tokens")


def write_tokenizer(reader: Reader, task: Task, folder: Path) -> None:
    """Write tokenizer.json and its config for inputs of a linear head.

    Entities are marked in the text itself, where their marks are tokens. Raises UserError for a
    tokenizer that has no tokenizer.json.
    """
    start = [] if reader.start is None else [reader.start]
    single = [*start, "A", reader.end]
    pair = [*start, "A", reader.separator, "B", reader.end]
    marks = list(zip(MARKERS, reader.markers)) if task.entities else []
    _write(reader, folder, single, pair, marks)


def write_prompt_tokenizer(reader: Reader, folder: Path) -> None:
    """Write tokenizer.json and its config for prompts, which begin as the model's texts do."""
    start = [] if reader.start is None else [reader.start]
    _write(reader, folder, [*start, "A"], [*start, "A", "B"], [])


def _write(
    reader: Reader,
    folder: Path,
    single: list[int | str],
    pair: list[int | str],
    marks: Sequence[tuple[str, int]],
) -> None:
    """`single` and `pair` are token ids, and A and B where the texts stand."""
    reader.tokenizer.save_pretrained(folder)
    path = folder / TOKENIZER
    require(path.is_file(), f"{reader.folder}: its tokenizer can't be written as {TOKENIZER}.")
    content = read_json(path)
    if (reader.folder / TOKENIZER).is_file():
        content = read_json(reader.folder / TOKENIZER)  # to the letter
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [_as_piece(part, reader) for part in single],
        "pair": [_as_piece(part, reader) for part in pair],
        "special_tokens": {
            name: {"id": name, "ids": [token_id], "tokens": [name]}
            for token_id, name in (
                (each, reader.name_of(each)) for each in {*single, *pair} if isinstance(each, int)
            )
        },
    }
    known = {token["id"] for token in content["added_tokens"]}
    new = {
        reader.name_of(token_id): token_id
        for token_id in (reader.pad, reader.separator, reader.end)
    }
    added = [_as_added(name, token_id, special=True) for name, token_id in new.items()]
    # Not special: they're found in a text although what looks like a special token is text there.
    added += [_as_added(name, token_id, special=False) for name, token_id in marks]
    content["added_tokens"] += [token for token in added if token["id"] not in known]
    content["added_tokens"].sort(key=lambda token: token["id"])
    write_json(path, content)

    options = read_json(folder / TOKENIZER_CONFIG)
    for key in NAMES_OF_SPECIAL:
        names = [name for name in options.get(key, []) if name not in dict(marks)]
        options |= {key: names} if key in options else {}
    options["model_max_length"] = reader.max_length
    options["pad_token"] = reader.name_of(reader.pad)
    options["padding_side"] = "right"
    options["split_special_tokens"] = True  # text that looks like one stays text
    options["model_input_names"] = ["input_ids", "attention_mask"]
    write_json(folder / TOKENIZER_CONFIG, options)


def _as_piece(part: int | str, reader: Reader) -> dict[str, Any]:
    if isinstance(part, str):
        return {"Sequence": {"id": part, "type_id": 0}}
    return {"SpecialToken": {"id": reader.name_of(part), "type_id": 0}}


def _as_added(name: str, token_id: int, special: bool) -> dict[str, Any]:
    return {
        "id": token_id,
        "content": name,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": special,
    }
