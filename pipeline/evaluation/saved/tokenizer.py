"""The tokenizer of a fine-tuned model. It puts the start, the separator and the end where the model
had them, so that a text, or a pair of texts, is all that has to be given."""

from pathlib import Path

from corpora.errors import require
from corpora.tasks.task import Task
from pipeline.artifacts.files import read_json, write_json
from pipeline.evaluation.inputs import MARKERS, Reader
from pipeline.models.save import TOKENIZER, TOKENIZER_CONFIG
from pipeline.models.tokenizer_files import Piece, add_tokens, set_template, unlist


def write_tokenizer(reader: Reader, task: Task, folder: Path) -> None:
    """Write tokenizer.json and its config for inputs of a linear head.

    Entities are marked in the text itself, where their marks are tokens. Raises UserError for a
    tokenizer that has no tokenizer.json.
    """
    start = start_of(reader)
    separator, end = ((reader.name_of(each), each) for each in (reader.separator, reader.end))
    single = [*start, "A", end]
    pair = [*start, "A", separator, "B", end]
    marks: list[Piece] = []
    if task.entities:
        marks = [(name, number) for name, number in zip(MARKERS, reader.markers)]
    _write(reader, folder, single, pair, marks)


def write_prompt_tokenizer(reader: Reader, folder: Path) -> None:
    """Write tokenizer.json and its config for prompts, which begin as the model's texts do."""
    start = start_of(reader)
    _write(reader, folder, [*start, "A"], [*start, "A", "B"], [])


def start_of(reader: Reader) -> list[Piece]:
    """The token that a text begins with, if the model has one."""
    return [] if reader.start is None else [(reader.name_of(reader.start), reader.start)]


def _write(
    reader: Reader,
    folder: Path,
    single: list[Piece | str],
    pair: list[Piece | str],
    marks: list[Piece],
) -> None:
    reader.tokenizer.save_pretrained(folder)
    path = folder / TOKENIZER
    require(path.is_file(), f"{reader.folder}: its tokenizer can't be written as {TOKENIZER}.")
    # Of one that has the file it's taken to the letter.
    original = reader.folder / TOKENIZER
    content = read_json(original if original.is_file() else path)
    set_template(content, single, pair)
    tokens = [(reader.name_of(each), each) for each in (reader.pad, reader.separator, reader.end)]
    add_tokens(content, tokens, special=True)
    add_tokens(content, marks, special=False)
    write_json(path, content)

    options = read_json(folder / TOKENIZER_CONFIG)
    unlist(options, {name for name, _ in marks})
    options["model_max_length"] = reader.max_length
    options["pad_token"] = reader.name_of(reader.pad)
    options["padding_side"] = "right"
    options["split_special_tokens"] = True  # text that looks like one stays text
    options["model_input_names"] = ["input_ids", "attention_mask"]
    write_json(folder / TOKENIZER_CONFIG, options)
