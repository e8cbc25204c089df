"""KLUE's rows as token ids: GPT-1's traversal-style inputs for a linear head, prompts for the language head."""
from itertools import chain, count, cycle, islice
from pathlib import Path

from transformers import AutoConfig, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from corpora.errors import as_user_error, require
from corpora.tasks.task import Task, entities_in_order, split_at_entities
from pipeline.evaluation.prompting import PROMPTS, write_prompt
from pipeline.models.folder import model_files

MARKERS = ("<subj>", "</subj>", "<obj>", "</obj>")


class Reader:
    """Encodes one model's inputs: a title; two sentences around a separator; a sentence with marked entities. The ids
    of `start` (None where the model has no such token), `separator`, `end`, `pad` and `markers` never come from text; a
    token that the model lacks (a pad apart from its end token, a marker) gets a new id past its embedding. Raises
    UserError when the folder holds no usable model and tokenizer, or the two don't fit."""

    def __init__(self, folder: Path, max_length: int):
        model_files(str(folder))
        with as_user_error(f"{folder}: its config or tokenizer can't be loaded"):
            self.config = AutoConfig.from_pretrained(folder, local_files_only=True)
            self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if getattr(self.config, "activation_function", None) == "gelu_new":
            self.config.activation_function = "gelu"  # within 0.0005 of it, in a fifth of the time on a CPU
        # The masked language models read both ways, unless they are told to be decoders.
        self.causal = self.config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES or getattr(
            self.config, "is_decoder", False)
        self.max_length = min(max_length, getattr(self.config, "max_position_embeddings", max_length))
        require(self.max_length >= 16,
                f"klue.max_length={max_length}: {self.max_length} tokens leave no room: take at least 16.")
        require(len(self.tokenizer) <= self.config.vocab_size, f"{folder}: its tokenizer has {len(self.tokenizer)} "
                f"tokens, its embedding only {self.config.vocab_size}: they don't belong together.")
        known, new_ids = self.tokenizer.get_vocab(), count(self.config.vocab_size)

        def first(*ids: int | None) -> int | None:
            return next((id_ for id_ in ids if id_ is not None), None)

        # The config first: a text of this project's models begins with the end token, not with the tokenizer's <s>.
        config, tokenizer = self.config, self.tokenizer
        self.start = first(getattr(config, "bos_token_id", None), tokenizer.bos_token_id, tokenizer.cls_token_id)
        end = first(tokenizer.eos_token_id, tokenizer.sep_token_id)
        self.end = next(new_ids) if end is None else end
        self.separator = first(known.get("<sep>"), tokenizer.sep_token_id, self.end)
        self.pad = tokenizer.pad_token_id
        if self.pad is None or self.pad in (self.start, self.end, self.separator):
            self.pad = next(new_ids)  # what is pooled is the last token that isn't a pad
        self.markers = tuple(known[name] if name in known else next(new_ids) for name in MARKERS)
        self.num_embeddings = next(new_ids)

    def encode(self, task: Task, rows: list[dict]) -> tuple[list[list[int]], int]:
        """Token ids of every row, then of STS's in the other order (Radford et al. 2018, 3.3); how many were cut."""
        columns = [split_at_entities(row) if task.entities else [row[column] for column in texts]
                   for texts in task.orders for row in rows]
        ids = iter(self._tokenize(list(chain.from_iterable(columns))))
        encoded = [self._join(task, row, list(islice(ids, len(parts)))) for row, parts in zip(cycle(rows), columns)]
        return [row_ids for row_ids, _ in encoded], sum(was_cut for _, was_cut in encoded[:len(rows)])

    def encode_prompts(self, task: Task, rows: list[dict]) -> tuple[list[list[int]], list[list[int]], int]:
        """Token ids of every row as the task's first prompt, and of the words; and how many rows had to be cut."""
        start = [] if self.start is None else [self.start]
        words = self._tokenize([f" {word}" for word in PROMPTS[task.name]["words"]])
        room = self.max_length - len(start) - max(map(len, words))
        texts, cut = zip(*(write_prompt(task, 1, row, lambda text: len(self._tokenize([text])[0]) <= room)
                           for row in rows))
        return [start + ids for ids in self._tokenize(list(texts))], words, sum(cut)

    def _tokenize(self, texts: list[str]) -> list[list[int]]:
        # Text that looks like a special token stays text.
        return self.tokenizer(texts, add_special_tokens=False, split_special_tokens=True, verbose=False,
                              return_attention_mask=False, return_token_type_ids=False)["input_ids"]

    def _join(self, task: Task, row: dict, parts: list[list[int]]) -> tuple[list[int], bool]:
        start = [] if self.start is None else [self.start]
        room = self.max_length - len(start) - 1
        if task.entities:
            kept = cut_around_entities(parts, room - len(MARKERS))
            (_, first_role), _ = entities_in_order(row)
            joints = self.markers if first_role == "S" else self.markers[2:] + self.markers[:2]
        elif len(parts) == 2:
            kept, joints = cut_longer(parts, room - 1), [self.separator]
        else:
            kept, joints = [parts[0][:room]], []
        body = [*kept[0], *(id_ for joint, part in zip(joints, kept[1:]) for id_ in (joint, *part))]
        return [*start, *body, self.end], sum(map(len, kept)) < sum(map(len, parts))


def cut_longer(parts: list[list[int]], room: int) -> list[list[int]]:
    """Both sentences within `room` tokens, the longer one cut first."""
    first = parts[0][:max(room // 2, room - len(parts[1]))]
    return [first, parts[1][:room - len(first)]]


def cut_around_entities(parts: list[list[int]], room: int) -> list[list[int]]:
    """The five parts within `room` tokens: the entities whole, then the text between them, then what lies around. An
    entity longer than a third of the room is cut to it."""
    left, first, middle, second, right = parts
    first, second = first[:room // 3], second[:room // 3]
    room -= len(first) + len(second)
    if len(middle) > room:
        middle = middle[:room - room // 2] + middle[len(middle) - room // 2:]
    room -= len(middle)
    on_left = min(len(left), max(room // 2, room - len(right)))
    return [left[len(left) - on_left:], first, middle, second, right[:room - on_left]]
