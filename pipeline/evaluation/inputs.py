"""KLUE's rows as token ids: GPT-1's traversal-style inputs for a linear head, and prompts for the
language head."""

from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from transformers import AutoConfig, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from corpora.errors import as_user_error, require
from corpora.tasks.task import Row, Task, entities_in_order, split_at_entities
from pipeline.evaluation.prompts import PROMPTS, write_prompt
from pipeline.evaluation.truncation import cut_around_entities, cut_longer
from pipeline.models.folder import model_files

TokenIds = list[int]

SUBJECT_MARKERS = ("<subj>", "</subj>")
OBJECT_MARKERS = ("<obj>", "</obj>")
SHORTEST_INPUT = 16


class Encoded(NamedTuple):
    """Rows as token ids, and how many of the rows had to be cut."""

    ids: list[TokenIds]
    num_cut: int


class Reader:
    """Encodes rows for the model in one folder.

    An input is a title; or two sentences around a separator; or a sentence with marked entities.
    The ids of `start` (None where the model has no such token), `separator`, `end`, `pad` and the
    markers never come from text. A token that the model lacks (a pad apart from its end token, a
    marker) gets a new id past its embedding, so `num_embeddings` are needed.
    """

    def __init__(self, folder: Path, max_length: int) -> None:
        """Read the folder's config and tokenizer; inputs get `max_length` tokens at most.

        Raises UserError when the folder holds no usable model and tokenizer, or the two don't fit.
        """
        self.folder = folder
        self.config, self.tokenizer = _load(folder)
        self.is_causal = _is_causal(self.config)
        self.max_length = min(
            max_length, getattr(self.config, "max_position_embeddings", max_length)
        )
        require(
            self.max_length >= SHORTEST_INPUT,
            f"klue.max_length={max_length}: {self.max_length} tokens leave no room: take at least "
            f"{SHORTEST_INPUT}.",
        )
        self.num_embeddings: int = self.config.vocab_size
        self._find_special_tokens()

    def _find_special_tokens(self) -> None:
        config = self.config
        tokenizer = self.tokenizer
        vocabulary = tokenizer.get_vocab()
        # The config first: a text of this project's models begins with the end token, not with the
        # tokenizer's <s>.
        self.start = _first_known(
            getattr(config, "bos_token_id", None), tokenizer.bos_token_id, tokenizer.cls_token_id
        )
        end = _first_known(tokenizer.eos_token_id, tokenizer.sep_token_id)
        self.end = self._new_id() if end is None else end
        separator = _first_known(vocabulary.get("<sep>"), tokenizer.sep_token_id)
        self.separator = self.end if separator is None else separator
        # What is pooled is the last token that isn't a pad, so a pad has to be nothing else.
        pad: int | None = tokenizer.pad_token_id
        is_taken = pad in (self.start, self.end, self.separator)
        self.pad = self._new_id() if pad is None or is_taken else pad
        self.subject_markers = self._find_or_add(SUBJECT_MARKERS, vocabulary)
        self.object_markers = self._find_or_add(OBJECT_MARKERS, vocabulary)

    def _find_or_add(self, names: tuple[str, str], vocabulary: dict[str, int]) -> TokenIds:
        return [vocabulary[name] if name in vocabulary else self._new_id() for name in names]

    def _new_id(self) -> int:
        self.num_embeddings += 1
        return self.num_embeddings - 1

    def encode(self, task: Task, rows: list[Row]) -> Encoded:
        """Encode every row and, of STS, then every row in the other order (Radford et al. 2018,
        3.3), which isn't counted again if it is cut."""
        encoded = [self._encode_in_order(task, rows, texts) for texts in task.orders]
        return Encoded(list(chain.from_iterable(each.ids for each in encoded)), encoded[0].num_cut)

    def _encode_in_order(self, task: Task, rows: list[Row], texts: tuple[str, ...]) -> Encoded:
        parts_of_rows = [
            split_at_entities(row) if task.entities else [row[column] for column in texts]
            for row in rows
        ]
        # One call for all of them, because a fast tokenizer is quick on many texts.
        all_ids = iter(self._tokenize(list(chain.from_iterable(parts_of_rows))))
        inputs: list[TokenIds] = []
        num_cut = 0
        for row, parts in zip(rows, parts_of_rows):
            ids_of_parts = [next(all_ids) for _ in parts]
            kept = self._cut(task, ids_of_parts)
            inputs.append(self._join(task, row, kept))
            num_cut += sum(map(len, kept)) < sum(map(len, ids_of_parts))
        return Encoded(inputs, num_cut)

    def encode_prompts(self, task: Task, rows: list[Row]) -> Encoded:
        """Encode every row as the task's first prompt, with room for the longest word after it."""
        start = self._start_ids()
        longest_word = max(map(len, self.encode_words(task)))
        room = self.max_length - len(start) - longest_word

        def fits(text: str) -> bool:
            return len(self._tokenize([text])[0]) <= room

        prompts = [write_prompt(task, 1, row, fits) for row in rows]
        ids = self._tokenize([prompt.text for prompt in prompts])
        num_cut = sum(prompt.was_cut for prompt in prompts)
        return Encoded([start + ids_of_prompt for ids_of_prompt in ids], num_cut)

    def encode_words(self, task: Task) -> list[TokenIds]:
        """Encode the words that continue the task's prompts, each with the space before it."""
        return self._tokenize([f" {word}" for word in PROMPTS[task.name].words])

    def _tokenize(self, texts: list[str]) -> list[TokenIds]:
        # Text that looks like a special token stays text.
        encoding = self.tokenizer(
            texts,
            add_special_tokens=False,
            split_special_tokens=True,
            verbose=False,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        return encoding["input_ids"]

    def _start_ids(self) -> TokenIds:
        return [] if self.start is None else [self.start]

    def _cut(self, task: Task, parts: list[TokenIds]) -> list[TokenIds]:
        room = self.max_length - len(self._start_ids()) - 1  # the end token
        if task.entities:
            num_markers = len(self.subject_markers) + len(self.object_markers)
            return cut_around_entities(parts, room - num_markers)
        if len(parts) == 2:
            return cut_longer(parts, room - 1)  # the separator
        return [parts[0][:room]]

    def _join(self, task: Task, row: Row, parts: list[TokenIds]) -> TokenIds:
        joints = self._joints(task, row, len(parts))
        ids = [*self._start_ids(), *parts[0]]
        for joint, part in zip(joints, parts[1:]):
            ids += [joint, *part]
        return [*ids, self.end]

    def _joints(self, task: Task, row: Row, num_parts: int) -> TokenIds:
        """Tokens between the parts."""
        if not task.entities:
            return [self.separator] * (num_parts - 1)
        (_, first_role), _ = entities_in_order(row)
        if first_role == "S":
            return self.subject_markers + self.object_markers
        return self.object_markers + self.subject_markers


def _load(folder: Path) -> tuple[Any, Any]:
    """Config and tokenizer of a folder; their classes depend on what it holds."""
    model_files(str(folder))
    with as_user_error(f"{folder}: its config or tokenizer can't be loaded"):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    require(
        len(tokenizer) <= config.vocab_size,
        f"{folder}: its tokenizer has {len(tokenizer)} tokens, its embedding only "
        f"{config.vocab_size}: they don't belong together.",
    )
    if getattr(config, "activation_function", None) == "gelu_new":
        # Within 0.0005 of it, in a fifth of the time on a CPU.
        config.activation_function = "gelu"
    return config, tokenizer


def _is_causal(config: Any) -> bool:
    """Masked language models read both ways, unless they are told to be decoders."""
    is_masked_model = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return not is_masked_model or getattr(config, "is_decoder", False)


def _first_known(*ids: int | None) -> int | None:
    return next((id_ for id_ in ids if id_ is not None), None)
