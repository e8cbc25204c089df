"""The language head, which is no head at all: the model goes on predicting text, here the label's
word after a prompt. So one model can do all tasks, with pretraining's own objective."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM, GenerationConfig

from corpora.tasks.task import Task
from pipeline.evaluation.fine_tuning import fine_tune
from pipeline.evaluation.inputs import Reader, TokenIds
from pipeline.evaluation.length_batches import pad_right
from pipeline.evaluation.prompts import answer
from pipeline.evaluation.saved.model import save_weights
from pipeline.evaluation.saved.tokenizer import write_prompt_tokenizer
from pipeline.evaluation.words import read_prompts, score_words
from pipeline.evaluation_settings import KlueSettings
from pipeline.models.load import load_weights
from pipeline.models.masking import IGNORED


class PromptedTask(NamedTuple):
    """One task's rows as prompts."""

    task: Task
    words: list[TokenIds]  # one for each label
    prompts: list[TokenIds]
    right_words: list[int]  # for each prompt the place of its word in `words`
    validation: list[TokenIds]


class LanguageHead:
    """A causal model that goes on from prompts with a label's word."""

    def __init__(self, reader: Reader, device: str, reads_both_ways: bool = False) -> None:
        """Load the reader's model; raises UserError as `load_weights` does.

        A GPT-2 that `reads_both_ways` does so in the prompt; the word after it is causal.
        """
        self.reader = reader
        self.device = device
        config = deepcopy(reader.config)
        if reads_both_ways:
            config.is_causal = False  # which transformers honours, and the saved config says
        self.model = load_weights(AutoModelForCausalLM, reader.folder, str(reader.folder), config)

    def fine_tune(
        self, tasks: list[PromptedTask], settings: KlueSettings, seed: int, num_steps: int
    ) -> None:
        """Train the model to go on with the right words. The loss is that of the words alone.

        `tasks` are one, or several for one model, whose rows are mixed. Raises UserError as
        `fine_tune` does.
        """
        model = self.model
        head = model.get_output_embeddings()
        if head is None:
            raise TypeError(f"{self.reader.folder}: a causal language model without a head.")
        inputs: list[TokenIds] = []
        targets: list[TokenIds] = []
        for each in tasks:
            for prompt, number in zip(each.prompts, each.right_words):
                word = each.words[number]
                inputs.append(prompt + word)
                targets.append([IGNORED] * len(prompt) + word)

        def loss_of(rows: torch.Tensor) -> torch.Tensor:
            batch = rows.tolist()
            targets_BT = pad_right([targets[row] for row in batch], IGNORED)
            lengths = [targets[row].count(IGNORED) for row in batch]
            hidden_BTC = read_prompts(model, [inputs[row] for row in batch], lengths, self.device)
            return token_loss(hidden_BTC, head, targets_BT.to(self.device))

        names = " ".join(each.task.name for each in tasks)
        name = f"{names} language seed {seed}"
        lengths = [len(ids) for ids in inputs]
        fine_tune(model, lengths, loss_of, num_steps, settings, seed, name, self.device)

    def predict(self, asked: PromptedTask) -> np.ndarray:
        """Return the words' shares (N, C) after a task's validation prompts; of STS the expected
        degree (N,)."""
        scores_NC = score_words(self.model, asked.validation, asked.words, self.device)
        return answer(asked.task, scores_NC)

    def save(self, folder: Path, longest_word: int) -> None:
        """Write a folder that transformers' text-generation pipeline answers from: with the
        likeliest tokens, at most `longest_word` of them.

        Raises UserError for a full disk, and for a tokenizer that has no tokenizer.json.
        """
        config = self.model.config
        self.model.generation_config = GenerationConfig(
            bos_token_id=config.bos_token_id,
            eos_token_id=config.eos_token_id,
            pad_token_id=self.reader.pad,
            max_new_tokens=longest_word,
            do_sample=False,
        )
        save_weights(self.model, folder)
        write_prompt_tokenizer(self.reader, folder)


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
