"""Tokens -> a GPT, as a plain Hugging Face folder with its tokenizer and a model card. The loop itself is
pipeline/training/loop.py. Under torchrun every process runs this; the first one writes."""
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from corpora.contamination import DECONTAMINATED
from corpora.errors import as_user_error, require
from pipeline.artifacts.files import write_text
from pipeline.artifacts.manifest import SCRATCH
from pipeline.executors import Context
from pipeline.models.gpt import continue_text, make_model
from pipeline.reports.plots import plot_curves
from pipeline.reports.render import write_page
from pipeline.training.batches import TokenStream, TrainingBatches
from pipeline.training.checkpoint import find_checkpoints, is_whole, load_checkpoint, step_of
from pipeline.training.device import join_processes, leave_processes, resolve_precision
from pipeline.training.loop import train
from pipeline.training.optimizer import whole

PROMPTS = ("대한민국은", "서울의 봄은", "이 영화는", "제1조(목적) 이 법은", "오늘 점심에는")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "sentencepiece.model")


def run(settings, inputs: dict[str, Path], folder: Path, context: Context) -> dict:
    rank, world = join_processes(context.device)
    require(settings.batch_size % world == 0,
            f"pretrain.batch_size={settings.batch_size}: has to be a multiple of the {world} processes.")
    precision = resolve_precision(settings.precision, context.device)
    tokenizer = AutoTokenizer.from_pretrained(inputs["tokenizer"])
    training, validation = (TokenStream(inputs["tokens"], split) for split in ("train", "validation"))
    index = training.index
    model = make_model(settings, index["vocab_size"], index["end_token_id"], tokenizer.pad_token_id, context.device)
    batches = TrainingBatches(training, settings.context, settings.batch_size, settings.seed)
    config, num_parameters = deepcopy(model.config), model.num_parameters()
    num_tokens = settings.steps * settings.batch_size * settings.context
    if rank == 0:
        print(f"pretrain: {settings.architecture}, {num_parameters / 1e6:.1f}M parameters, {num_tokens / 1e6:.1f}M "
              f"tokens ({num_tokens / len(training):.2f} epochs) on {world} x {context.device} in {precision}",
              flush=True)

    def plain():
        """The model as one piece: this one, or a copy on the CPU of one that is spread over processes."""
        if world == 1 or settings.parallel == "ddp":
            return model
        # With all processes.
        weights = {name: whole(each.detach()).cpu() for name, each in model.named_parameters()}
        if rank:
            return None
        copy = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        copy.load_state_dict(weights, strict=False)  # a tied head comes under one name only
        copy.tie_weights()
        return copy

    def write_samples(step: int) -> None:
        piece = plain()
        if rank:
            return
        texts = [continue_text(piece, tokenizer, prompt, 60, settings.seed, use_cache=False)[0] for prompt in PROMPTS]
        write_text(folder / "logs" / f"samples-{step:06d}.md", "".join(
            f"- **{prompt}**{' '.join(text.removeprefix(prompt).splitlines())}\n"
            for prompt, text in zip(PROMPTS, texts)))
        lines = (folder / "logs" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        plot_curves(folder / "logs" / "curves.png", [json.loads(line) for line in lines])

    with open_tracker(settings, folder, rank) as track:
        figures = train(model, batches, validation, settings, context.device, precision, folder, write_samples, track)
    trained = plain()
    leave_processes()
    figures |= {"parameters": num_parameters, "epochs": round(num_tokens / len(training), 4), "device": context.device,
                "precision": precision, "compiled": settings.compile, "threads": torch.get_num_threads(),
                "processes": world}
    trained = trained.cpu()
    save_model(trained, inputs["tokenizer"], folder)
    for path in find_checkpoints(folder / SCRATCH / "checkpoints"):
        # With the decay to zero the best is seldom another than the last.
        if step_of(path) == figures["best_step"] != settings.steps and is_whole(path):
            load_checkpoint(path, trained, [])
            save_model(trained, inputs["tokenizer"], folder / "best")
    if not settings.init:  # what another model was trained on before isn't known
        shutil.copyfile(inputs["tokens"] / DECONTAMINATED, folder / DECONTAMINATED)
    write_page(folder / "README.md", "model", settings=settings, config=config, **figures,
               millions=num_parameters / 1e6,
               start=f"continued from `{settings.init}`" if settings.init else "from random weights")
    return figures


@contextmanager
def open_tracker(settings, folder: Path, rank: int) -> Iterator[Callable[[dict], None]]:
    """A function that shows a line of metrics, numbers by name and their step, in TensorBoard or trackio while the run
    goes on; its JSON lines are written whatever is chosen. UserError where a library is missing."""
    kind = settings.tracking if rank == 0 else "none"
    with ExitStack() as ending:
        with as_user_error(f"pretrain.tracking={kind} needs an extra", "Run make install EXTRAS=tracking.", ImportError):
            if kind == "tensorboard":
                from torch.utils.tensorboard import SummaryWriter
                writer = ending.enter_context(SummaryWriter(str(folder / "logs" / "tensorboard"), flush_secs=10))
            elif kind == "trackio":
                import trackio
                trackio.init(project="korean-gpt2", name=folder.stem, config=settings.model_dump(), resume="allow")
                ending.callback(trackio.finish)

        def track(values: dict) -> None:
            numbers = {key: value for key, value in values.items() if isinstance(value, int | float) and key != "step"}
            if kind == "tensorboard":
                for name, value in numbers.items():
                    writer.add_scalar(name, value, values["step"])
            elif kind == "trackio":
                trackio.log(numbers, step=values["step"])
        yield track


def save_model(model, tokenizer_folder: Path, folder: Path) -> None:
    ids = {name: getattr(model.config, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    model.generation_config = GenerationConfig(**ids, do_sample=True, top_k=50, temperature=0.8)
    with as_user_error(f"{folder}: can't be written", "Make room, then run the same command again.", SafetensorError):
        model.save_pretrained(folder)
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).exists():
            shutil.copyfile(tokenizer_folder / name, folder / name)
