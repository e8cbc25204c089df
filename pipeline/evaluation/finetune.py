"""Fine-tuning as GPT-1 did it: a linear head on the last token's context vector, one loop for every task. The head is
transformers' own, so any model that has a sequence classifier can be scored. No files are written here."""
import math
from copy import deepcopy
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from corpora import UserError, failing
from corpora.klue import Task
from pipeline.evaluation.inputs import Reader
from pipeline.training.attention import CAUSAL_MATMUL, CAUSAL_SDPA
from pipeline.training.device import autocast, resolve_precision
from pipeline.training.model import load_weights
from pipeline.training.optimizer import learning_rate_factor, make_adamw

WEIGHT_DECAY = 0.01  # GPT-1's (Radford et al. 2018), as are the linear schedule and, nearly, its warm-up
WARMUP_SHARE = 0.1
CLIP = 1.0
BUCKET_BATCHES = 50  # batches that are sorted by length together: more pads less and shuffles less
EVALUATION_BATCH = 128


def fine_tune(reader: Reader, folder: Path, task: Task, inputs: list[list[int]], targets_N: np.ndarray,
              validation: list[list[int]], settings, seed: int, pretrained: bool, device: str) -> np.ndarray:
    """Train on `inputs` and return what the model says of `validation`: (N, C) probabilities, or (N,) STS scores.
    Without `pretrained` it's the random twin: same config and seed, random weights. Raises UserError when the loss
    stops being finite."""
    torch.manual_seed(seed)
    model = load_classifier(reader, folder, task, pretrained).to(device)
    if model.config.model_type == "gpt2":
        model.set_attn_implementation(CAUSAL_MATMUL if device == "cpu" else CAUSAL_SDPA)
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
                if not math.isfinite(norm):
                    raise UserError(f"{name}: the loss or its gradient stopped being finite at step {bar.n + 1} of "
                                    f"{num_steps}. Lower klue.learning_rate (now {settings.learning_rate:g}).")
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
