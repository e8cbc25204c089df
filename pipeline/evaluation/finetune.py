"""Fine-tuning as GPT-1 did it: a linear head on the last token's context vector, one loop for all tasks. `Reader` makes
token ids of KLUE's rows; the head is transformers' own, so any model that has a sequence classifier can be scored."""
import math
from copy import deepcopy
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from corpora import failing, require
from corpora.klue import Task, entities_in_order, split_at_entities
from pipeline.model_folder import model_files
from pipeline.training.attention import quickest
from pipeline.training.device import autocast, resolve_precision
from pipeline.training.model import load_weights
from pipeline.training.optimizer import learning_rate_factor, make_adamw

MARKERS = ("<subj>", "</subj>", "<obj>", "</obj>")
WEIGHT_DECAY = 0.01  # GPT-1's (Radford et al. 2018), as are the linear schedule and, nearly, its warm-up
WARMUP_SHARE = 0.1
CLIP = 1.0
BUCKET_BATCHES = 50  # batches that are sorted by length together: more pads less and shuffles less
EVALUATION_BATCH = 128


class Reader:
    """Encodes one model's inputs: a title; two sentences around a separator; a sentence with marked entities. The ids
    of `start` (None where the model has no such token), `separator`, `end`, `pad` and `markers` never come from text; a
    token that the model lacks (a pad apart from its end token, a marker) gets a new id past its embedding. Raises
    UserError when the folder holds no usable model and tokenizer, or the two don't fit."""

    def __init__(self, folder: Path, max_length: int):
        model_files(str(folder))
        with failing(f"{folder}: its config or tokenizer can't be loaded"):
            self.config = AutoConfig.from_pretrained(folder, local_files_only=True)
            self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
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
        """Token ids of every row, and how many rows had to be cut to `max_length`."""
        columns = [split_at_entities(row) if task.entities else [row[column] for column in task.texts] for row in rows]
        segments = [segment for row_segments in columns for segment in row_segments]
        # Text that looks like a special token stays text.
        ids = self.tokenizer(segments, add_special_tokens=False, split_special_tokens=True, verbose=False,
                             return_attention_mask=False, return_token_type_ids=False)["input_ids"]
        width = len(segments) // len(rows)
        encoded = [self._join(task, row, ids[number * width:(number + 1) * width]) for number, row in enumerate(rows)]
        return [row_ids for row_ids, _ in encoded], sum(was_cut for _, was_cut in encoded)

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


def fine_tune(reader: Reader, folder: Path, task: Task, inputs: list[list[int]], targets_N: np.ndarray,
              validation: list[list[int]], settings, seed: int, pretrained: bool, device: str) -> np.ndarray:
    """Train on `inputs` and return what the model says of `validation`: (N, C) probabilities, or (N,) STS scores.
    Without `pretrained` it's the random twin: same config and seed, random weights. Raises UserError when the loss
    stops being finite."""
    torch.manual_seed(seed)
    model = load_classifier(reader, folder, task, pretrained).to(device)
    if model.config.model_type == "gpt2":
        model.set_attn_implementation(quickest(device, settings.max_length))
    center, scale = (targets_N.mean(), targets_N.std() or 1.0) if task.regression else (0, 1)
    targets = torch.tensor((targets_N - center) / scale, dtype=torch.float32 if task.regression else torch.int64)
    precision = resolve_precision("auto", device)
    generator = np.random.default_rng(seed)
    epochs = getattr(settings, f"epochs_{task.name}")  # fixed beforehand: there is no best epoch
    num_steps = epochs * math.ceil(len(inputs) / settings.batch_size)
    optimizer = make_adamw(model.parameters(), settings.learning_rate, WEIGHT_DECAY)
    factor = partial(learning_rate_factor, num_steps=num_steps, num_warmup=max(1, round(WARMUP_SHARE * num_steps)))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    name = f"{task.title} {'pretrained' if pretrained else 'random twin'} seed {seed}"
    model.train()
    with tqdm(total=num_steps, desc=name, unit="step", disable=None) as bar:
        for _ in range(epochs):
            for rows in bucket(inputs, settings.batch_size, generator):
                ids_BT = pad([inputs[row] for row in rows], reader.pad).to(device)
                with autocast(device, precision):
                    logits_BC = classify(model, ids_BT).float()
                outputs, loss_of = (logits_BC[:, 0], F.mse_loss) if task.regression else (logits_BC, F.cross_entropy)
                loss = loss_of(outputs, targets[rows].to(device))
                loss.backward()
                norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
                require(math.isfinite(norm), f"{name}: the loss or its gradient stopped being finite at step "
                        f"{bar.n + 1} of {num_steps}. Lower klue.learning_rate (now {settings.learning_rate:g}).")
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
                bar.update()
    return predict(model, task, validation, reader.pad, device, precision) * scale + center


def load_classifier(reader: Reader, folder: Path, task: Task, pretrained: bool) -> PreTrainedModel:
    """The folder's model, or its random twin, with a fresh head for the task, in fp32."""
    config = deepcopy(reader.config)
    config.num_labels = 1 if task.regression else len(task.labels)
    if getattr(config, "activation_function", None) == "gelu_new":
        config.activation_function = "gelu_pytorch_tanh"  # the same function as one kernel instead of eight
    if pretrained:
        model = load_weights(AutoModelForSequenceClassification, folder, str(folder), config, new_head=True)
    else:
        with failing(f"{folder}: can't be made a classifier"):
            model = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    if reader.num_embeddings > config.vocab_size:
        model.resize_token_embeddings(reader.num_embeddings, mean_resizing=False)
    model.config.pad_token_id = reader.pad  # after the resizing: it may be one of the new ids
    return model


def bucket(inputs: list[list[int]], batch_size: int, generator: np.random.Generator) -> list[np.ndarray]:
    """One epoch's batches, (B,) row numbers each: rows of like length together, batches in random order."""
    lengths_N = np.array([len(ids) for ids in inputs])
    order_N = generator.permutation(len(inputs))
    batches = []
    for start in range(0, len(order_N), batch_size * BUCKET_BATCHES):
        rows = order_N[start:start + batch_size * BUCKET_BATCHES]
        rows = rows[np.argsort(lengths_N[rows], kind="stable")]
        batches += [rows[at:at + batch_size] for at in range(0, len(rows), batch_size)]
    generator.shuffle(batches)
    return batches


def pad(sequences: list[list[int]], pad_id: int) -> torch.Tensor:
    """Right-padded ids (B, T), T the longest rounded up to 8: few shapes, so that kernels and memory are reused."""
    ids_BT = pad_sequence([torch.tensor(ids) for ids in sequences], batch_first=True, padding_value=pad_id)
    return F.pad(ids_BT, (0, -ids_BT.shape[1] % 8), value=pad_id)


def classify(model: PreTrainedModel, ids_BT: torch.Tensor) -> torch.Tensor:
    """Logits (B, C). GPT-2 needs no mask: right of a causal model's last real token, pads can't be seen."""
    if model.config.model_type == "gpt2":
        return model(input_ids=ids_BT, use_cache=False).logits
    return model(input_ids=ids_BT, attention_mask=(ids_BT != model.config.pad_token_id).long()).logits


@torch.no_grad()
def predict(model: PreTrainedModel, task: Task, inputs: list[list[int]], pad_id: int, device: str,
            precision: str) -> np.ndarray:
    """Probabilities (N, C), or for regression outputs (N,), in the order of `inputs`."""
    model.eval()
    order = np.argsort([len(ids) for ids in inputs], kind="stable")
    outputs = np.empty((len(inputs), model.config.num_labels), dtype=np.float32)
    for start in range(0, len(order), EVALUATION_BATCH):
        rows = order[start:start + EVALUATION_BATCH]
        with autocast(device, precision):
            logits_BC = classify(model, pad([inputs[row] for row in rows], pad_id).to(device)).float()
        outputs[rows] = (logits_BC if task.regression else logits_BC.softmax(-1)).cpu().numpy()
    return outputs[:, 0] if task.regression else outputs
