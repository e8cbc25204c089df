"""The language head, which is no head at all: the model goes on predicting text, here the label's
word after a prompt. So one model can do all tasks, with pretraining's own objective."""

from collections.abc import Callable
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM

from corpora.tasks.task import Task
from pipeline.evaluation.fine_tuning import fine_tune
from pipeline.evaluation.harness.scoring import score_words
from pipeline.evaluation.inputs import Reader, TokenIds
from pipeline.evaluation.length_batches import pad_right
from pipeline.evaluation.prompts import answer
from pipeline.models.load import load_weights
from pipeline.models.losses import IGNORED
from pipeline.settings import KlueSettings


class PromptedTask(NamedTuple):
    """One task's rows as prompts."""

    task: Task
    words: list[TokenIds]  # one for each label
    prompts: list[TokenIds]
    right_words: list[int]  # for each prompt the place of its word in `words`
    validation: list[TokenIds]


def fine_tune_language_head(
    reader: Reader,
    tasks: list[PromptedTask],
    settings: KlueSettings,
    seed: int,
    num_steps: int,
    device: str,
) -> dict[str, np.ndarray]:
    """Train a causal model to go on from prompts with the right word, and ask it the validation
    prompts of each task.

    The loss is that of the words alone. `tasks` are one, or several for one model, whose rows are
    mixed. Returns by task name the words' shares (N, C), of STS the expected degree (N,). Raises
    UserError as `load_weights` and `fine_tune` do.
    """
    torch.manual_seed(seed)
    config = deepcopy(reader.config)
    model = load_weights(AutoModelForCausalLM, reader.folder, str(reader.folder), config)
    head = model.get_output_embeddings()
    if head is None:
        raise TypeError(f"{reader.folder}: a causal language model without a head.")
    inputs: list[TokenIds] = []
    targets: list[TokenIds] = []
    for each in tasks:
        for prompt, number in zip(each.prompts, each.right_words):
            word = each.words[number]
            inputs.append(prompt + word)
            targets.append([IGNORED] * len(prompt) + word)

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        ids_BT = pad_right([inputs[row] for row in rows.tolist()], 0).to(device)
        targets_BT = pad_right([targets[row] for row in rows.tolist()], IGNORED).to(device)
        hidden_BTC = model.base_model(input_ids=ids_BT, use_cache=False).last_hidden_state
        return token_loss(hidden_BTC, head, targets_BT)

    names = " ".join(each.task.name for each in tasks)
    name = f"{names} language seed {seed}"
    lengths = [len(ids) for ids in inputs]
    fine_tune(model, lengths, loss_of, num_steps, settings, seed, name, device)
    answers: dict[str, np.ndarray] = {}
    for each in tasks:
        scores_NC = score_words(model, reader.tokenizer, each.validation, each.words)
        answers[each.task.name] = answer(each.task, scores_NC)
    return answers


def token_loss(
    hidden_BTC: torch.Tensor,
    head: Callable[[torch.Tensor], torch.Tensor],
    targets_BT: torch.Tensor,
) -> torch.Tensor:
    """Return the mean cross-entropy, in nats, of each target given what stands before it.

    `head` makes hidden states (N, C) into logits (N, V). Targets that are IGNORED get no logits.
    """
    is_target_BT = targets_BT[:, 1:] != IGNORED
    logits_NV = head(hidden_BTC[:, :-1][is_target_BT]).float()
    return functional.cross_entropy(logits_NV, targets_BT[:, 1:][is_target_BT])
