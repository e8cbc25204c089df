"""A model's folder as pretraining leaves it, with random weights and a tiny tokenizer."""

from functools import cache
from pathlib import Path
from typing import Any

from pipeline.models.gpt import make_model
from pipeline.models.save import save_model
from tests.pipeline.train_tiny import tiny
from tests.tiny_tokenizer import train_on_articles
from tokenizer.export import export

VOCABULARY = 1024


@cache
def sentencepiece_model(model_type: str) -> bytes:
    return train_on_articles(model_type)


def save(folder: Path, model_type: str = "bpe", **changes: Any) -> Path:
    """Write folder/model; `changes` are of the tiny settings."""
    export(sentencepiece_model(model_type), folder / "tokenizer")
    save_model(
        make_model(tiny(**changes), VOCABULARY, 3, 0), folder / "tokenizer", folder / "model"
    )
    return folder / "model"
