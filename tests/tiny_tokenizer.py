"""Tokenizers trained in a second, from texts in memory; and a law to train them on."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from konlpy.corpus import kolaw

from tokenizer.train import train_model
from tokenizer.training_lines import write_lines

CONSTITUTION = Path(kolaw.abspath("constitution.txt")).read_text(encoding="utf-8")
ARTICLES = [line for line in CONSTITUTION.split("\n") if line.strip()]


def train(
    documents: list[str],
    model_type: str = "bpe",
    vocab_size: int = 1024,
    morphemes: str = "none",
    workers: int = 1,
    **options: Any,
) -> bytes:
    """The bytes of a sentencepiece.model."""
    with tempfile.TemporaryDirectory() as folder:
        # SentencePiece takes commas for ends of file names.
        lines = Path(folder) / "lines, one a line.txt"
        write_lines(documents, lines, morphemes, workers)
        return train_model(lines, model_type, vocab_size, 0.9995, **options)


@cache
def train_on_articles(
    model_type: str = "bpe", vocab_size: int = 1024, morphemes: str = "none", superwords: int = 0
) -> bytes:
    """The bytes of a sentencepiece.model of the articles, trained once for all tests."""
    return train(ARTICLES, model_type, vocab_size, morphemes, superwords=superwords)
