"""GPT-1's linear head on the last token's context vector (Radford et al. 2018).

It is transformers' own, so any model that has a sequence classifier can be scored."""

import math
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from scipy.special import softmax
from torch import nn
from torch.nn import functional
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from corpora.errors import as_user_error
from corpora.tasks.task import Task
from pipeline.evaluation.fine_tuning import count_steps, fine_tune
from pipeline.evaluation.inputs import Reader, TokenIds
from pipeline.evaluation.language_head import token_loss
from pipeline.evaluation.length_batches import pad_right
from pipeline.evaluation.saved.model import fold_scale, save_weights
from pipeline.evaluation.saved.tokenizer import write_tokenizer
from pipeline.evaluation_settings import KlueSettings
from pipeline.models.attention import dense_mask, dtype_on, within_real
from pipeline.models.gpt import renew_blocks
from pipeline.models.load import load_weights
from pipeline.models.masking import IGNORED

EVALUATION_BATCH = 128


class Examples(NamedTuple):
    """One task's rows as a linear head reads them: each of them in every one of `task.orders`, one
    order after the other."""

    inputs: list[TokenIds]
    targets_N: np.ndarray  # noqa: N815  # label ids, or scores from 0 to 5
    validation: list[TokenIds]


class LinearHead:
    """A model with a linear head for one task."""

    def __init__(
        self,
        reader: Reader,
        task: Task,
        pretrained: bool,
        device: str,
        reads_both_ways: bool = False,
        num_layers: int | None = None,
    ) -> None:
        """Load the reader's model with a fresh head, and of its layers the first `num_layers`, None
        all; the others are random.

        Without `pretrained` it is the random twin: same config and seed, random weights. A GPT-2
        that `reads_both_ways` has no causal mask. Raises UserError as `load_classifier` does.
        """
        self.reader = reader
        self.task = task
        self.device = device
        self.kind = "pretrained" if pretrained else "random twin"
        self.model = load_classifier(reader, task, pretrained, reads_both_ways)
        if pretrained and num_layers is not None:
            twin = load_classifier(reader, task, False, reads_both_ways)
            renew_blocks(self.model, twin, num_layers)

    def fine_tune(self, examples: Examples, settings: KlueSettings, seed: int) -> None:
        """Train the head and the model.

        With `settings.lm_weight` GPT-1's auxiliary language-model loss of the inputs is added.
        Raises UserError as `fine_tune` does.
        """
        task = self.task
        pad = self.reader.pad
        center = float(examples.targets_N.mean())
        scale = float(examples.targets_N.std()) or 1.0
        if task.regression:
            targets_N = torch.tensor((examples.targets_N - center) / scale, dtype=torch.float32)
        else:
            targets_N = torch.tensor(examples.targets_N)

        def loss_of(rows: torch.Tensor) -> torch.Tensor:
            ids_BT = pad_right([examples.inputs[row] for row in rows.tolist()], pad)
            ids_BT = ids_BT.to(self.device)
            output = classify(self.model, ids_BT, output_hidden_states=settings.lm_weight > 0)
            logits_BC = output.logits.float()
            targets_B = targets_N[rows].to(self.device)
            if task.regression:
                loss = functional.mse_loss(logits_BC[:, 0], targets_B)
            else:
                loss = functional.cross_entropy(logits_BC, targets_B)
            if settings.lm_weight:
                some = share_of_rows(settings.lm_share, len(ids_BT))
                hidden_BTC = output.hidden_states[-1][some]
                auxiliary = _auxiliary_loss(self.model, hidden_BTC, ids_BT[some], pad)
                loss += settings.lm_weight * auxiliary
            return loss

        name = f"{task.title} {self.kind} seed {seed}"
        lengths = [len(ids) for ids in examples.inputs]
        num_steps = count_steps(task, len(lengths) // len(task.orders), settings)
        fine_tune(self.model, lengths, loss_of, num_steps, settings, seed, name, self.device)
        if task.regression and not fold_scale(self.model, center, scale):
            self.model.config.score_scale = [center, scale]

    def predict(self, inputs: list[TokenIds]) -> np.ndarray:
        """Return what the model says of rows in each of `task.orders`, as `predict` does."""
        return predict(self.model, self.task, inputs, self.reader.pad, self.device)

    def save(self, folder: Path) -> None:
        """Write a folder that transformers' text-classification pipeline answers from.

        Raises UserError for a full disk, and for a tokenizer that has no tokenizer.json.
        """
        config = self.model.config
        names = self.task.names or ("score",)
        config.id2label = dict(enumerate(names))
        config.label2id = {name: number for number, name in enumerate(names)}
        is_regression = self.task.regression
        config.problem_type = "regression" if is_regression else "single_label_classification"
        save_weights(self.model, folder)
        write_tokenizer(self.reader, self.task, folder)


def load_classifier(
    reader: Reader, task: Task, pretrained: bool, reads_both_ways: bool = False
) -> PreTrainedModel:
    """Load the reader's model, or make its random twin, with a fresh head for the task, in fp32.

    Raises UserError for a model that can't be a classifier, or lacks weights.
    """
    config = deepcopy(reader.config)
    if reads_both_ways:
        config.is_causal = False  # which transformers honours, and the saved config says
    config.num_labels = 1 if task.regression else len(task.labels)
    kind = AutoModelForSequenceClassification
    if pretrained:
        model = load_weights(kind, reader.folder, str(reader.folder), config, new_head=True)
    else:
        with as_user_error(f"{reader.folder}: can't be made a classifier"):
            model = kind.from_config(config, dtype=torch.float32)
    if reader.num_embeddings > config.vocab_size:
        model.resize_token_embeddings(reader.num_embeddings, mean_resizing=False)
    model.config.pad_token_id = reader.pad  # after the resizing: it may be one of the new ids
    return model


def predict(
    model: PreTrainedModel, task: Task, inputs: list[TokenIds], pad_id: int, device: str
) -> np.ndarray:
    """Return probabilities (N, C), or scores (N,), from means over `task.orders`, in which the
    inputs come one after the other.

    Scores that the head couldn't be made to say as they are (fold_scale) are put right by the
    config's `score_scale`: center and scale.
    """
    logits_of_orders = predict_logits(model, inputs, pad_id, device)
    logits_NC = np.mean(np.split(logits_of_orders, len(task.orders)), 0)
    if not task.regression:
        return softmax(logits_NC, 1)
    center, scale = getattr(model.config, "score_scale", (0.0, 1.0))
    return logits_NC[:, 0] * scale + center


@torch.no_grad()
def predict_logits(
    model: PreTrainedModel, inputs: list[TokenIds], pad_id: int, device: str
) -> np.ndarray:
    """Return the logits (N, C) of the inputs, computed in batches of like length, in fp32 as
    whoever loads a saved model has it."""
    by_length_N = np.argsort([len(ids) for ids in inputs], kind="stable")
    logits: list[np.ndarray] = []
    for start in range(0, len(inputs), EVALUATION_BATCH):
        rows = by_length_N[start : start + EVALUATION_BATCH]
        ids_BT = pad_right([inputs[row] for row in rows], pad_id).to(device)
        logits.append(classify(model, ids_BT).logits.cpu().numpy())
    return np.concatenate(logits)[np.argsort(by_length_N)]


def classify(model: PreTrainedModel, ids_BT: torch.Tensor, **options: Any) -> Any:
    """Run a classifier on right-padded ids; its output has logits (B, C), whatever its class."""
    is_gpt2 = model.config.model_type == "gpt2"
    if is_gpt2 and getattr(model.config, "is_causal", True):
        # No mask: right of a causal model's last real token, pads can't be seen.
        return model(input_ids=ids_BT, use_cache=False, **options)
    is_real_BT = ids_BT != model.config.pad_token_id
    if is_gpt2:
        # The quick attention of training takes no other mask.
        sees = within_real(is_real_BT)
        B, T = ids_BT.shape
        mask_B1TT = dense_mask(sees, B, T, ids_BT.device, dtype_on(ids_BT.device))
        return model(input_ids=ids_BT, attention_mask=mask_B1TT, use_cache=False, **options)
    return model(input_ids=ids_BT, attention_mask=is_real_BT.long(), **options)


def share_of_rows(share: float, num_rows: int) -> torch.Tensor:
    """The numbers of a share of a batch's rows, at equal distances: a batch is sorted by length."""
    num_some = math.ceil(share * num_rows)
    return torch.arange(num_some) * num_rows // num_some


def _auxiliary_loss(
    model: PreTrainedModel, hidden_BTC: torch.Tensor, ids_BT: torch.Tensor, pad_id: int
) -> torch.Tensor:
    """The language-model loss of the inputs, whose pads are no targets."""
    targets_BT = ids_BT.masked_fill(ids_BT == pad_id, IGNORED)
    embedding = cast(nn.Embedding, model.get_input_embeddings())  # typed as any module
    head = partial(functional.linear, weight=embedding.weight)
    return token_loss(hidden_BTC, head, targets_BT)
