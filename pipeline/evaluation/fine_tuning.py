"""The loop that fine-tunes a model, whatever its head and task: its steps, its schedule, and what
stops it. The heads are in linear_head.py and language_head.py."""

import math
from collections.abc import Callable
from functools import partial
from itertools import islice
from multiprocessing import parent_process

import torch
from tqdm import tqdm
from transformers import PreTrainedModel

from corpora.errors import require
from corpora.tasks.task import Task
from pipeline.evaluation.length_batches import batches_of_like_length
from pipeline.evaluation_settings import KlueSettings
from pipeline.models.attention import quickest
from pipeline.training.device import autocast, resolve_precision
from pipeline.training.optimizers import make_adamw
from pipeline.training.schedule import learning_rate_factor

# GPT-1's (Radford et al. 2018), as is the linear decay; its warm-up is only 0.2 % of the steps.
WEIGHT_DECAY = 0.01
LARGEST_NORM = 1.0  # of the gradient, which is clipped to it
WARMUP_SHARE = 0.1  # as in BERT's code for fine-tuning (Devlin et al. 2019)


def count_steps(task: Task, num_rows: int, settings: KlueSettings) -> int:
    """Return the optimizer steps for so many rows.

    They are fixed beforehand: there is no best epoch. Few rows are seen more often, for a model to
    learn from them at all.
    """
    batches_an_epoch = math.ceil(num_rows / settings.batch_size)
    return max(settings.epochs_of(task.name) * batches_an_epoch, settings.least_steps)


def fine_tune(
    model: PreTrainedModel,
    lengths: list[int],
    loss_of: Callable[[torch.Tensor], torch.Tensor],
    num_steps: int,
    settings: KlueSettings,
    seed: int,
    name: str,
    device: str,
) -> None:
    """Train the model in place: AdamW, linear warm-up and decay, batches of rows of like length.

    `lengths` are the rows' numbers of tokens; `loss_of` returns the mean loss of a batch of (B,)
    row numbers; `seed` orders the rows. Raises UserError, which begins with `name`, for a loss or a
    gradient that isn't finite.
    """
    precision = resolve_precision("auto", device)
    generator = torch.Generator().manual_seed(seed)
    batches = batches_of_like_length(lengths, settings.batch_size, generator)
    model.to(device).train()  # pyright: ignore[reportArgumentType]  # a decorator hides `to`
    if model.config.model_type == "gpt2":
        model.set_attn_implementation(quickest(device, settings.max_length))
    optimizer = make_adamw(model.parameters(), settings.learning_rate, WEIGHT_DECAY)
    num_warmup = max(1, round(WARMUP_SHARE * num_steps))
    factor = partial(learning_rate_factor, num_steps=num_steps, num_warmup=num_warmup)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    # Bars of several processes would write over each other, and one of many runs' steps goes.
    is_worker = parent_process() is not None
    options = {"unit": "step", "leave": None, "disable": is_worker or None}
    with tqdm(total=num_steps, desc=name, **options) as bar:
        for step, rows in enumerate(islice(batches, num_steps), 1):
            with autocast(device, precision):
                loss = loss_of(rows)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_NORM)
            require(
                math.isfinite(norm.item()),
                f"{name}: the loss or its gradient stopped being finite at step {step} of "
                f"{num_steps}. Lower klue.learning_rate (now {settings.learning_rate:g}).",
            )
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
            bar.update()
    model.eval()
