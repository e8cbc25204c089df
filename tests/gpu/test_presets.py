"""One step of each preset's shape, with as many layers as memory has room for."""

import json
import math
from pathlib import Path

import pytest
import torch

from pipeline.models.cost import memory_needed
from pipeline.models.gpt import make_model
from pipeline.presets import load_preset
from pipeline.settings import PretrainSettings
from pipeline.training.batches import TokenStream, TrainingBatches
from pipeline.training.device import memory_of
from pipeline.training.trainer import Trainer
from tests.pipeline.tiny_tokens import END, PAD, write_tokens

GPT_2 = ("small", "medium", "large", "xl")
GPT_1_AND_3 = ("gpt1", "gpt3-small", "gpt3-medium", "gpt3-large", "gpt3-xl")
USED = 0.8  # of the memory: what is needed is an estimate
LAYERS_ON_A_CPU = 2


def one_step(settings: PretrainSettings, vocab_size: int, device: str) -> PretrainSettings:
    """The settings with one step of one micro-batch, and fewer layers where all don't fit."""
    changes = {"steps": 1, "warmup_steps": 0, "short_steps": 0, "validations": 1}
    if device == "cpu":
        changes |= {"layers": LAYERS_ON_A_CPU, "micro_batch_size": 1, "compile": False}
    size = changes.get("micro_batch_size", settings.micro_batch_size)
    chosen = settings.model_copy(update=changes | {"batch_size": size})
    while bytes_needed(chosen, vocab_size) > USED * memory_of(device):
        chosen = chosen.model_copy(update={"layers": chosen.layers // 2})
    return chosen


def bytes_needed(settings: PretrainSettings, vocab_size: int) -> float:
    with torch.device("meta"):
        model = make_model(settings, vocab_size, END, PAD)
    return sum(memory_needed(model, settings, settings.micro_batch_size).values())


@pytest.mark.parametrize("name", [*GPT_2, *GPT_1_AND_3])
def test_a_step_of_a_presets_shape(tmp_path: Path, device, precision, name):
    preset = load_preset(name, {})
    vocab_size = preset.tokenizer.vocab_size
    settings = one_step(preset.pretrain, vocab_size, device)
    length = settings.context
    rows = settings.batch_size + 2
    splits = {"train": [rows * length], "validation": [length]}
    tokens = write_tokens(tmp_path / "tokens", splits, vocabulary=vocab_size)
    batches = TrainingBatches(TokenStream(tokens, "train"), length, settings.batch_size, seed=1)
    validation = TokenStream(tokens, "validation")
    trainer = Trainer(
        make_model(settings, vocab_size, END, PAD, device),
        batches,
        validation,
        settings,
        device,
        precision,
        tmp_path,
        on_validation=lambda step: None,
        on_snapshot=lambda step: None,
    )
    trainer.train()
    line = json.loads((tmp_path / "logs/metrics.jsonl").read_text().splitlines()[0])
    print(f"{name}: {settings.layers} of {preset.pretrain.layers} layers, {line['memory_mb']} MB")
    assert line["loss"] == pytest.approx(math.log(vocab_size), rel=0.1)
    assert math.isfinite(line["gradient_norm"])
