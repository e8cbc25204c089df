"""Model folders of random weights, small enough to be fine-tuned in a test: a GPT-2 and a BERT; and
rows that they learn."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import BertWordPieceTokenizer
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertTokenizerFast,
    GPT2Config,
    GPT2LMHeadModel,
)

from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from tests.tiny_tokenizer import train
from tokenizer.export import export

VOCABULARY = 1792
torch.set_num_threads(1)  # a tiny model's threads spend their time waiting for each other


def sample_texts() -> list[str]:
    return [
        row[column]
        for task in TASKS.values()
        for row in load_rows("sample", task, "train")
        for column in task.texts
    ]


def topics(num_rows: int) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Titles whose label a glance tells."""
    words = {1: "은행 금리", 5: "축구 결승", 6: "국회 의원"}
    labels_N = np.array([1, 5, 6] * num_rows)[:num_rows]
    rows = [{"title": f"{number}번째 {words[label]} 소식"} for number, label in enumerate(labels_N)]
    return rows, labels_N


def write_gpt2(folder: Path, context: int = 96) -> Path:
    export(train(sample_texts(), vocab_size=VOCABULARY), folder)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=context,
        n_embd=64,
        n_layer=2,
        n_head=2,
        bos_token_id=2,
        eos_token_id=3,
        pad_token_id=0,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def write_bert(folder: Path) -> Path:
    """A masked language model with a tokenizer that knows neither our separator nor our entity
    markers."""
    words = BertWordPieceTokenizer(strip_accents=False, lowercase=False)
    words.train_from_iterator(sample_texts(), vocab_size=1000, show_progress=False)
    folder.mkdir(parents=True)
    words.save_model(str(folder))
    tokenizer = BertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=False)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=words.get_vocab_size(),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=96,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    return folder
