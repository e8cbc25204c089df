"""Tokens -> a GPT, as a plain Hugging Face folder with its tokenizer and a model card. The loop
itself is pipeline/training/trainer.py. Under torchrun every process runs this; the first one
writes."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from corpora.contamination import DECONTAMINATED
from corpora.errors import UserError, require
from corpora.recipe import RECIPE_FILE
from pipeline.artifacts.files import read_json, whole_folder, write_text
from pipeline.artifacts.manifest import SCRATCH
from pipeline.executors import Context
from pipeline.models.generate import continue_text
from pipeline.models.gpt import is_bert, make_model
from pipeline.models.masking import read_vocabulary
from pipeline.models.save import save_model
from pipeline.reports.plots import plot_curves
from pipeline.reports.render import write_page
from pipeline.settings import PretrainSettings
from pipeline.training.batches import Hiding, TokenStream, TrainingBatches
from pipeline.training.checkpoint import (
    find_checkpoints,
    is_undamaged,
    load_weights,
    step_of,
)
from pipeline.training.device import resolve_precision
from pipeline.training.processes import (
    gather_model,
    join_processes,
    leave_processes,
    rank_and_world,
)
from pipeline.training.tracking import open_tracker, read_metrics
from pipeline.training.trainer import Trainer

PROMPTS = ("대한민국은", "서울의 봄은", "이 영화는", "제1조(목적) 이 법은", "오늘 점심에는")
SAMPLE_TOKENS = 60
SNAPSHOTS = "snapshots"
"""In the stage's folder: a model a folder, named by its steps."""
NUM_GUESSES = 5


def run(
    settings: PretrainSettings, inputs: dict[str, Path], folder: Path, context: Context
) -> dict[str, Any]:
    """Train, and write the model, its samples, its curves and its card; returns the figures.

    Of several processes only the first one comes back. Raises UserError for settings that don't fit
    the text, the hardware or the number of processes, and what Trainer.train raises.
    """
    device = context.device
    rank, world = join_processes(device)
    require(
        settings.batch_size % world == 0,
        f"pretrain.batch_size={settings.batch_size}: has to be a multiple of the {world} "
        "processes.",
    )
    precision = resolve_precision(settings.precision, device)
    tokenizer = AutoTokenizer.from_pretrained(inputs["tokenizer"])
    text = TokenStream(inputs["tokens"], "train")
    validation = TokenStream(inputs["tokens"], "validation")
    pad_token_id = tokenizer.pad_token_id
    model = make_model(settings, text.vocab_size, text.end_token_id, pad_token_id, device)
    hiding = make_hiding(settings, tokenizer, model)
    batches = TrainingBatches(text, settings.context, settings.batch_size, settings.seed, hiding)
    num_parameters = model.num_parameters()
    num_tokens = settings.steps * settings.batch_size * settings.context
    epochs = num_tokens / len(text)
    if rank == 0:
        begun = f"pretrain: {settings.architecture}, {num_parameters / 1e6:.1f}M parameters"
        amount = f"{num_tokens / 1e6:.1f}M tokens ({epochs:.2f} epochs)"
        print(f"{begun}, {amount} on {world} x {device} in {precision}", flush=True)
    samples = partial(write_samples, model, tokenizer, settings.seed, folder / "logs")
    snapshot = partial(write_snapshot, model, inputs["tokenizer"], folder / SNAPSHOTS)
    with open_tracker(settings, folder, is_writer=rank == 0) as tracker:
        what = (model, batches, validation, settings, device, precision, folder)
        figures = Trainer(*what, samples, snapshot, tracker).train()
    torch.compiler.reset()  # for another model in this process: few shapes of a block are compiled
    trained = gather_model(model)
    leave_processes()
    if trained is None:
        raise RuntimeError("a process without the model should have ended")
    figures["parameters"] = num_parameters
    figures["epochs"] = round(epochs, 4)
    figures |= circumstances(settings, device, precision, world)
    write_model(trained.cpu(), settings, inputs, folder, figures)
    return figures


def make_hiding(
    settings: PretrainSettings, tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel
) -> Hiding | None:
    """Which words are hidden: in every step of a BERT, in some of a GPT-2 if that is set."""
    share = 1.0 if is_bert(model) else settings.masked_share
    if not share:
        return None
    vocabulary = read_vocabulary(tokenizer, len(tokenizer))
    return Hiding(vocabulary, share, settings.mask_rate, settings.seed)


def circumstances(
    settings: PretrainSettings, device: str, precision: str, world: int
) -> dict[str, Any]:
    """What is recorded of where a run took place, and isn't part of its key."""
    return {
        "device": device,
        "precision": precision,
        "matrix_products": torch.get_float32_matmul_precision(),  # of fp32; high: TF32
        "compiled": settings.compile,
        "deterministic": settings.deterministic,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "micro_batch_size": settings.micro_batch_size,
        "threads": torch.get_num_threads(),
        "processes": world,
    }


def write_samples(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
    logs: Path,
    step: int,
) -> None:
    """Write what the model makes of some prompts after so many steps, and the curves so far.

    All processes call it and sample the same, for they may have the model together only; the first
    one writes.
    """
    rank, _ = rank_and_world()
    go_on = guess_words if is_bert(model) else sample_text
    lines = [f"- **{prompt}**{go_on(model, tokenizer, prompt, seed)}\n" for prompt in PROMPTS]
    if rank > 0:
        return
    write_text(logs / f"samples-{step:06d}.md", "".join(lines))
    plot_curves(logs / "curves.png", read_metrics(logs / "metrics.jsonl"))


def sample_text(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, seed: int
) -> str:
    """How a GPT goes on from a prompt, in one line."""
    _, world = rank_and_world()
    try:
        (text,) = continue_text(
            model,
            tokenizer,
            prompt,
            SAMPLE_TOKENS,
            seed,
            use_cache=False,
            together=world > 1,
        )
    except UserError as error:  # a very small context is no reason to stop training
        text = f"{prompt} ({error})"
    return " ".join(text.removeprefix(prompt).splitlines())


@torch.no_grad()
def guess_words(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, seed: int
) -> str:
    """What a BERT takes a hidden token behind a prompt for, the likeliest first."""
    mask = read_vocabulary(tokenizer, len(tokenizer)).mask_token_id
    room = model.config.max_position_embeddings - 3
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"][:room]
    end = model.config.eos_token_id
    ids_1T = torch.tensor([[end, *ids, mask, end]], device=model.device)
    model.eval()
    logits_V = model(input_ids=ids_1T).logits[0, -2]
    model.train()
    guesses = logits_V.topk(NUM_GUESSES).indices.tolist()
    words = [str(tokenizer.decode([token])).strip() for token in guesses]
    return f" [{', '.join(words)}]"


def write_snapshot(model: PreTrainedModel, tokenizer: Path, folder: Path, step: int) -> None:
    """Keep the model as it is after so many steps. All processes call it; the first one writes."""
    rank, _ = rank_and_world()
    whole = gather_model(model)
    if rank == 0 and whole is not None:
        with whole_folder(folder / f"{step:06d}") as unfinished:
            save_model(whole, tokenizer, unfinished)


def write_model(
    model: PreTrainedModel,
    settings: PretrainSettings,
    inputs: dict[str, Path],
    folder: Path,
    figures: dict[str, Any],
) -> None:
    """Write the last model with its card, and in best/ the best validation's, if that is another.

    The fingerprints of the evaluation text that the corpus was searched for go along.
    """
    save_model(model, inputs["tokenizer"], folder)
    start = f"continued from `{settings.init}`" if settings.init else "from random weights"
    recipe = read_json(inputs["tokens"] / RECIPE_FILE)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    write_page(
        folder / "README.md",
        "model",
        settings=settings,
        config=model.config,
        sources=recipe["source"],
        begin=tokenizer.bos_token,
        is_bert=is_bert(model),
        mask=tokenizer.mask_token,
        has_sentencepiece=(folder / "sentencepiece.model").exists(),
        millions=figures["parameters"] / 1e6,
        start=start,
        **figures,
    )
    if not settings.init:  # what another model was trained on before isn't known
        shutil.copyfile(inputs["tokens"] / DECONTAMINATED, folder / DECONTAMINATED)
    best_step = figures["best_step"]
    if best_step == settings.steps:
        return
    # With the decay to zero the best is seldom another than the last.
    for path in find_checkpoints(folder / SCRATCH / "checkpoints"):
        if step_of(path) == best_step and is_undamaged(path):
            load_weights(path, model)
            save_model(model, inputs["tokenizer"], folder / "best")
            return
    print(
        f"pretrain: no undamaged checkpoint of step {best_step}, which had the best validation, is "
        f"left: {folder / 'best'} isn't written.",
        flush=True,
    )
