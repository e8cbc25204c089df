"""KLUE's rows as token ids: GPT-1's traversal-style inputs for a linear head, and prompts for the
language head."""

from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from transformers import AutoConfig, AutoTokenizer

from corpora.errors import as_user_error, require
from corpora.tasks.task import (
    Row,
    Task,
    entities_in_order,
    split_at_entities,
    typed_word,
)
from pipeline.evaluation.prompts import require_prompts, write_prompt
from pipeline.evaluation.truncation import cut_around_entities, cut_longer
from pipeline.models.load import is_causal

TokenIds = list[int]

MARKERS = ("<subj>", "</subj>", "<obj>", "</obj>")
SHORTEST_INPUT = 16


class Encoded(NamedTuple):
    """Rows as token ids, and how many of the rows had to be cut."""

    ids: list[TokenIds]
    num_cut: int


class Reader:
    """Encodes rows for the model in one folder.

    An input is a title; or two sentences around a separator; or a sentence with marked entities.
    The ids of `start` (None where the model has no such token), `separator`, `end`, `pad` and the
    markers never come from text. A token that the tokenizer lacks (a pad apart from its end token,
    a marker) gets a new id past it, so `num_embeddings` are needed.
    """

    def __init__(self, folder: Path, max_length: int) -> None:
        """Read the folder's config and tokenizer; inputs get `max_length` tokens at most.

        Raises UserError when the folder holds no usable model and tokenizer, or the two don't fit.
        """
        self.folder = folder
        with as_user_error(f"{folder}: its config or tokenizer can't be loaded"):
            self.config: Any = AutoConfig.from_pretrained(folder, local_files_only=True)
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        # Without one of these transformers makes up an empty tokenizer, and says nothing.
        files = {"tokenizer.json", *self.tokenizer.vocab_files_names.values()}
        require(
            any((folder / name).is_file() for name in files),
            f"{folder}: no tokenizer in it, only a model. Save the tokenizer there, too: one of "
            f"{', '.join(sorted(files))}.",
        )
        if getattr(self.config, "activation_function", None) == "gelu_new":
            # Within 0.0005 of it, in a fifth of the time on a CPU.
            self.config.activation_function = "gelu"
        self.is_causal = is_causal(self.config)
        num_positions = getattr(self.config, "max_position_embeddings", max_length)
        require(
            num_positions >= SHORTEST_INPUT,
            f"{folder}: its context of {num_positions} tokens leaves no room for a row: name a "
            f"model with at least {SHORTEST_INPUT}.",
        )
        self.max_length = min(max_length, num_positions)
        require(
            len(self.tokenizer) <= self.config.vocab_size,
            f"{folder}: its tokenizer has {len(self.tokenizer)} tokens, its embedding only "
            f"{self.config.vocab_size}: they don't belong together.",
        )
        self.num_embeddings: int = self.config.vocab_size
        self.new_tokens: dict[int, str] = {}
        self._find_special_tokens()

    def _find_special_tokens(self) -> None:
        tokenizer = self.tokenizer
        known = tokenizer.get_vocab()
        # The config first: a text of this project's models begins with the end token, not with the
        # tokenizer's <s>.
        config_start = getattr(self.config, "bos_token_id", None)
        self.start = _first(config_start, tokenizer.bos_token_id, tokenizer.cls_token_id)
        end = _first(tokenizer.eos_token_id, tokenizer.sep_token_id)
        self.end = self._new_id("<end>") if end is None else end
        separator = _first(known.get("<sep>"), tokenizer.sep_token_id)
        self.separator = self.end if separator is None else separator
        # What is pooled is the last token that isn't a pad, so a pad has to be nothing else.
        self.pad: int = tokenizer.pad_token_id
        if self.pad in (None, self.start, self.end, self.separator):
            self.pad = self._new_id("<padding>")
        self.markers = [known[name] if name in known else self._new_id(name) for name in MARKERS]

    def _new_id(self, name: str) -> int:
        new_id = len(self.tokenizer) + len(self.new_tokens)
        self.new_tokens[new_id] = name
        self.num_embeddings = max(self.num_embeddings, new_id + 1)
        return new_id

    def name_of(self, token_id: int) -> str:
        """How a token is written in tokenizer.json."""
        return self.new_tokens.get(token_id) or self.tokenizer.convert_ids_to_tokens(token_id)

    def encode(self, task: Task, rows: list[Row]) -> Encoded:
        """Encode every row and, of STS, then every row in the other order (Radford et al. 2018,
        3.3), which isn't counted again if it is cut."""
        encoded = [self._encode_in_order(task, rows, texts) for texts in task.orders]
        return Encoded([ids for each in encoded for ids in each.ids], encoded[0].num_cut)

    def _encode_in_order(self, task: Task, rows: list[Row], texts: tuple[str, ...]) -> Encoded:
        parts_of_rows = [
            split_with_types(row, task) if task.entities else [row[column] for column in texts]
            for row in rows
        ]
        # One call for all of them, because a fast tokenizer is quick on many texts.
        all_ids = iter(self._tokenize(list(chain.from_iterable(parts_of_rows))))
        encoded: list[TokenIds] = []
        num_cut = 0
        for row, parts in zip(rows, parts_of_rows):
            whole_parts = [next(all_ids) for _ in parts]
            kept, joints = self._cut(task, row, whole_parts)
            ids = [*self._start_ids(), *kept[0]]
            for joint, part in zip(joints, kept[1:]):
                ids += [joint, *part]
            encoded.append([*ids, self.end])
            num_cut += sum(map(len, kept)) < sum(map(len, whole_parts))
        return Encoded(encoded, num_cut)

    def _cut(self, task: Task, row: Row, parts: list[TokenIds]) -> tuple[list[TokenIds], TokenIds]:
        """The parts cut to what an input holds, and the tokens between them."""
        room = self.max_length - len(self._start_ids()) - 1  # the end token
        if task.entities:
            (_, first_role), _ = entities_in_order(row)
            is_subject = first_role == "S"
            joints = self.markers if is_subject else self.markers[2:] + self.markers[:2]
            return cut_around_entities(parts, room - len(joints)), joints
        if len(parts) == 2:
            return cut_longer(parts, room - 1), [self.separator]
        return [parts[0][:room]], []

    def encode_prompts(self, task: Task, rows: list[Row]) -> Encoded:
        """Encode every row as the task's first prompt, with room for the longest word after it."""
        start = self._start_ids()
        room = self.max_length - len(start) - max(map(len, self.encode_words(task)))

        def fits(text: str) -> bool:
            return len(self._tokenize([text])[0]) <= room

        prompts = [write_prompt(task, 1, row, fits) for row in rows]
        encoded = self._tokenize([prompt.text for prompt in prompts])
        num_cut = sum(prompt.was_cut for prompt in prompts)
        return Encoded([start + ids for ids in encoded], num_cut)

    def encode_words(self, task: Task) -> list[TokenIds]:
        """Encode the words that continue the task's prompts, each with the space before it."""
        require_prompts(task)
        return self._tokenize([f" {word}" for word in task.words])

    def _start_ids(self) -> TokenIds:
        return [] if self.start is None else [self.start]

    def _tokenize(self, texts: list[str]) -> list[TokenIds]:
        # Text that looks like a special token stays text.
        return self.tokenizer(
            texts,
            add_special_tokens=False,
            split_special_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )["input_ids"]


def split_with_types(row: Row, task: Task) -> list[str]:
    """The sentence's five parts, the words for the entities' types before these: where a type is
    known it's what tells most of a relation (Zhou and Chen 2022)."""
    parts = split_at_entities(row)
    for (entity, role), number in zip(entities_in_order(row), (1, 3)):
        column = "subject_entity" if role == "S" else "object_entity"
        # Of entities that overlap the second one's part is the rest of its word.
        if parts[number] == entity["word"]:
            parts[number] = typed_word(row, task, column)
    return parts


def _first(*ids: int | None) -> int | None:
    return next((id_ for id_ in ids if id_ is not None), None)
