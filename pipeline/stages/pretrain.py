"""Tokens -> a GPT-2, as a plain Hugging Face folder with its tokenizer and a model card. The loop itself is
pipeline/training/loop.py."""
import json
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoTokenizer, GenerationConfig

from corpora import failing
from corpora.contamination import DECONTAMINATED
from pipeline.artifact import write_card
from pipeline.engine import Context
from pipeline.training.batches import TokenStream, TrainingBatches
from pipeline.training.device import resolve_precision
from pipeline.training.loop import train
from pipeline.training.model import make_model
from pipeline.training.sampling import continue_text

PROMPTS = ("대한민국은", "서울의 봄은", "이 영화는", "제1조(목적) 이 법은", "오늘 점심에는")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "sentencepiece.model")


def run(settings, inputs: dict[str, Path], folder: Path, context: Context) -> dict:
    if settings.tensorboard:
        open_tensorboard(folder / "logs").close()  # now, not after the training, if it isn't installed
    precision = resolve_precision(settings.precision, context.device)
    tokenizer = AutoTokenizer.from_pretrained(inputs["tokenizer"])
    training, validation = (TokenStream(inputs["tokens"], split) for split in ("train", "validation"))
    model = make_model(settings, training.index["vocab_size"], training.index["end_token_id"], tokenizer.pad_token_id)
    batches = TrainingBatches(training, settings.context, settings.batch_size, settings.seed)
    num_parameters = model.num_parameters()
    num_tokens = settings.steps * settings.batch_size * settings.context
    print(f"pretrain: {num_parameters / 1e6:.1f}M parameters, {num_tokens / 1e6:.1f}M tokens "
          f"({num_tokens / len(training):.2f} epochs) on {context.device} in {precision}", flush=True)

    def write_samples(step: int) -> None:
        with open(folder / "logs" / "samples.md", "a", encoding="utf-8") as file:
            file.write(f"\n## After step {step}\n\n")
            for prompt in PROMPTS:
                text, = continue_text(model, tokenizer, prompt, 60, settings.seed, use_cache=False)
                file.write(f"- **{prompt}**{' '.join(text.removeprefix(prompt).splitlines())}\n")

    figures = train(model, batches, validation, settings, context.device, precision, folder, write_samples)
    figures |= {"parameters": num_parameters, "epochs": round(num_tokens / len(training), 4), "device": context.device,
                "precision": precision, "compiled": settings.compile, "threads": torch.get_num_threads()}
    save_model(model.cpu(), inputs["tokenizer"], folder)
    if not settings.init:  # what another model was trained on before isn't known
        shutil.copyfile(inputs["tokens"] / DECONTAMINATED, folder / DECONTAMINATED)
    write_card(folder / "README.md", "model", settings=settings, config=model.config, **figures, millions=num_parameters / 1e6,
               start=f"continued from `{settings.init}`" if settings.init else "from random weights")
    if settings.tensorboard:
        write_tensorboard(folder / "logs")
    return figures


def save_model(model, tokenizer_folder: Path, folder: Path) -> None:
    """A folder that plain AutoModelForCausalLM and AutoTokenizer open."""
    ids = {name: getattr(model.config, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    model.generation_config = GenerationConfig(**ids, do_sample=True, top_k=50, temperature=0.8)
    with failing(f"{folder}: can't be written", "Make room, then run the same command again.", SafetensorError):
        model.save_pretrained(folder)
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).exists():
            shutil.copyfile(tokenizer_folder / name, folder / name)


def open_tensorboard(logs: Path):
    with failing("pretrain.tensorboard=true needs an extra", "Run make install EXTRAS=tracking.", ImportError):
        from torch.utils.tensorboard import SummaryWriter
    return SummaryWriter(str(logs / "tensorboard"))


def write_tensorboard(logs: Path) -> None:
    with open_tensorboard(logs) as writer, open(logs / "metrics.jsonl", encoding="utf-8") as lines:
        for values in map(json.loads, lines):
            for name, value in values.items():
                if isinstance(value, (int, float)) and name != "step":
                    writer.add_scalar(name, value, values["step"])
