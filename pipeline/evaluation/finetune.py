"""Fine-tuning, one loop for all tasks and heads. The linear head on the last token's context vector is GPT-1's (Radford
et al. 2018), and transformers' own, so any model that has a sequence classifier can be scored. The language head is no
head at all: the model goes on predicting text, here the label's word after a prompt, and one model can do all tasks."""
import math
import sys
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from itertools import chain, islice, repeat
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, PreTrainedModel
from transformers.trainer_pt_utils import get_length_grouped_indices
from transformers.utils import ModelOutput

from corpora.errors import as_user_error, require
from corpora.tasks.task import TASKS, Task
from pipeline.evaluation.inputs import Reader
from pipeline.evaluation.prompting import answer
from pipeline.models.attention import quickest
from pipeline.models.load import load_weights
from pipeline.training.device import autocast, resolve_precision
from pipeline.training.optimizers import make_adamw
from pipeline.training.schedule import learning_rate_factor

WEIGHT_DECAY = 0.01  # GPT-1's, as are the linear schedule and, nearly, its warm-up
WARMUP_SHARE = 0.1
CLIP = 1.0
BUCKET_BATCHES = 50  # batches that are sorted by length together: more pads less and shuffles less
EVALUATION_BATCH = 128
WORDS_BATCH = 32  # their logits are of all tokens
IGNORED = -100  # a target that isn't one


def fine_tune(reader: Reader, folder: Path, task: Task, inputs: list[list[int]], targets_N: np.ndarray,
              validation: list[list[int]], settings, seed: int, pretrained: bool, device: str) -> np.ndarray:
    """Train a linear head and the model on `inputs` and return what they say of `validation`: (N, C) probabilities, or
    (N,) STS scores, means over `task.orders`. Without `pretrained` it's the random twin: same config and seed, random
    weights. With settings.lm_weight GPT-1's auxiliary language-model loss of the inputs is added. Raises as `train`."""
    torch.manual_seed(seed)
    model = load_classifier(reader, folder, task, pretrained)
    center, scale = (targets_N.mean(), targets_N.std() or 1.0) if task.regression else (0, 1)
    targets = torch.tensor((targets_N - center) / scale, dtype=torch.float32 if task.regression else torch.int64)

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        ids_BT = pad([inputs[row] for row in rows], reader.pad).to(device)
        found = classify(model, ids_BT, output_hidden_states=settings.lm_weight > 0)
        outputs, loss_from = (found.logits[:, 0], F.mse_loss) if task.regression else (found.logits, F.cross_entropy)
        loss = loss_from(outputs.float(), targets[rows].to(device))
        if settings.lm_weight:
            words_BT = ids_BT.masked_fill(ids_BT == reader.pad, IGNORED)
            head = partial(F.linear, weight=model.get_input_embeddings().weight)
            loss += settings.lm_weight * token_loss(found.hidden_states[-1], head, words_BT)
        return loss

    name = f"{task.title} {'pretrained' if pretrained else 'random twin'} seed {seed}"
    steps = num_steps(task, len(inputs) // len(task.orders), settings)
    train(model, list(map(len, inputs)), loss_of, steps, settings, seed, name, device)
    logits_NC = np.mean(np.split(predict(model, validation, reader.pad, device), len(task.orders)), 0)
    return logits_NC[:, 0] * scale + center if task.regression else softmax(logits_NC, 1)


def fine_tune_language(reader: Reader, folder: Path, tasks: dict[str, tuple], settings, seed: int, steps: int,
                       device: str) -> dict[str, np.ndarray]:
    """Train a causal model to go on from prompts with the right word, by the language-model loss of those words alone,
    and return the words' shares (N, C) of each task, of STS the expected degree (N,). `tasks` has one task, or all for
    one model: prompts, words, the right words' numbers, validation prompts."""
    torch.manual_seed(seed)
    model = load_weights(AutoModelForCausalLM, folder, str(folder), deepcopy(reader.config))
    examples = [(prompt + words[number], [IGNORED] * len(prompt) + words[number])
                for prompts, words, numbers, _ in tasks.values() for prompt, number in zip(prompts, numbers)]

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        ids, targets = zip(*(examples[row] for row in rows))
        hidden_BTC = model.base_model(input_ids=pad(ids, 0).to(device), use_cache=False).last_hidden_state
        return token_loss(hidden_BTC, model.get_output_embeddings(), pad(targets, IGNORED).to(device))

    name = f"{' '.join(tasks)} language seed {seed}"
    train(model, [len(ids) for ids, _ in examples], loss_of, steps, settings, seed, name, device)
    return {name: answer(TASKS[name], word_scores(model, reader, validation, words))
            for name, (_, words, _, validation) in tasks.items()}


def word_scores(model: PreTrainedModel, reader: Reader, prompts: list[list[int]], words: list[list[int]]) -> np.ndarray:
    """Log-likelihoods (N, C) of each word, in tokens, after each prompt, by lm-evaluation-harness in fp32: words that
    differ in their last token alone have one pass, and most words are one token."""
    from lm_eval.models.huggingface import HFLM
    scorer = HFLM(model, tokenizer=reader.tokenizer, batch_size=WORDS_BATCH)
    found = scorer._loglikelihood_tokens([(("", ""), prompt, word) for prompt in prompts for word in words],
                                         disable_tqdm=not sys.stderr.isatty())
    return np.array([score for score, _ in found]).reshape(len(prompts), len(words))


def num_steps(task: Task, num_rows: int, settings) -> int:
    """Fixed beforehand: there's no best epoch. Few rows are seen more often, for a model to learn from them at all."""
    epochs = settings.epochs[task.name]
    return max(epochs * math.ceil(num_rows / settings.batch_size), settings.least_steps)


def train(model: PreTrainedModel, lengths: list[int], loss_of: Callable[[torch.Tensor], torch.Tensor], steps: int,
          settings, seed: int, name: str, device: str) -> None:
    """AdamW, warm-up, linear decay; batches of rows of like length. Raises UserError for a loss that isn't finite."""
    precision, generator = resolve_precision("auto", device), torch.Generator().manual_seed(seed)
    model.to(device).train()
    if model.config.model_type == "gpt2":
        model.set_attn_implementation(quickest(device, settings.max_length))
    optimizer = make_adamw(model.parameters(), settings.learning_rate, WEIGHT_DECAY)
    factor = partial(learning_rate_factor, num_steps=steps, num_warmup=max(1, round(WARMUP_SHARE * steps)))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    epochs = (bucket(lengths, settings.batch_size, generator) for _ in repeat(None))
    with tqdm(total=steps, desc=name, unit="step", disable=None) as bar:
        for rows in islice(chain.from_iterable(epochs), steps):
            with autocast(device, precision):
                loss = loss_of(rows)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            require(math.isfinite(norm), f"{name}: the loss or its gradient stopped being finite at step {bar.n + 1} "
                    f"of {steps}. Lower klue.learning_rate (now {settings.learning_rate:g}).")
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
            bar.update()
    model.eval()


@torch.no_grad()
def predict(model: PreTrainedModel, inputs: list[list[int]], pad_id: int, device: str) -> np.ndarray:
    """Logits (N, C) of the inputs, by batches of like length."""
    order_N, found = np.argsort(list(map(len, inputs)), kind="stable"), []
    for start in range(0, len(order_N), EVALUATION_BATCH):
        ids_BT = pad([inputs[row] for row in order_N[start:start + EVALUATION_BATCH]], pad_id).to(device)
        with autocast(device, resolve_precision("auto", device)):
            found.append(classify(model, ids_BT).logits.float().cpu().numpy())
    return np.concatenate(found)[np.argsort(order_N)]


def load_classifier(reader: Reader, folder: Path, task: Task, pretrained: bool) -> PreTrainedModel:
    """The folder's model, or its random twin, with a fresh head for the task, in fp32."""
    config = deepcopy(reader.config)
    config.num_labels = 1 if task.regression else len(task.labels)
    if pretrained:
        model = load_weights(AutoModelForSequenceClassification, folder, str(folder), config, new_head=True)
    else:
        with as_user_error(f"{folder}: can't be made a classifier"):
            model = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    if reader.num_embeddings > config.vocab_size:
        model.resize_token_embeddings(reader.num_embeddings, mean_resizing=False)
    model.config.pad_token_id = reader.pad  # after the resizing: it may be one of the new ids
    return model


def token_loss(hidden_BTC: torch.Tensor, head: Callable, targets_BT: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy, in nats, of each target given what stands before it; of those IGNORED no logits are made."""
    real_BT = targets_BT[:, 1:] != IGNORED
    logits_NV = head(hidden_BTC[:, :-1][real_BT]).float()
    return F.cross_entropy(logits_NV, targets_BT[:, 1:][real_BT])


def bucket(lengths: list[int], batch_size: int, generator: torch.Generator) -> list[torch.Tensor]:
    """One epoch's batches, (B,) row numbers each: rows of like length together, batches in random order."""
    batches = torch.tensor(get_length_grouped_indices(lengths, batch_size, BUCKET_BATCHES, generator)).split(batch_size)
    return [batches[number] for number in torch.randperm(len(batches), generator=generator)]


def pad(sequences: list[list[int]], pad_id: int) -> torch.Tensor:
    """Right-padded ids (B, T), T the longest rounded up to 8: few shapes, so that kernels and memory are reused."""
    ids_BT = pad_sequence([torch.tensor(ids) for ids in sequences], batch_first=True, padding_value=pad_id)
    return F.pad(ids_BT, (0, -ids_BT.shape[1] % 8), value=pad_id)


def classify(model: PreTrainedModel, ids_BT: torch.Tensor, **more) -> ModelOutput:
    """With logits (B, C). GPT-2 needs no mask: right of a causal model's last real token, pads can't be seen."""
    if model.config.model_type == "gpt2":
        return model(input_ids=ids_BT, use_cache=False, **more)
    return model(input_ids=ids_BT, attention_mask=(ids_BT != model.config.pad_token_id).long(), **more)
