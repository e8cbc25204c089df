"""A trained model as a plain Hugging Face folder, with the tokenizer it was trained with."""

import os
import shutil
from pathlib import Path

from safetensors import SafetensorError
from transformers import GenerationConfig, PreTrainedModel

from corpora.errors import as_user_error
from pipeline.models.generate import TEMPERATURE, TOP_K

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "sentencepiece.model",
)


def save_model(model: PreTrainedModel, tokenizer_folder: Path, folder: Path) -> None:
    """Write weights, configs and the tokenizer's files; raises UserError for a full disk."""
    model.generation_config = GenerationConfig(
        bos_token_id=model.config.bos_token_id,
        eos_token_id=model.config.eos_token_id,
        pad_token_id=model.config.pad_token_id,
        do_sample=True,
        top_k=TOP_K,
        temperature=TEMPERATURE,
    )
    advice = "Make room, then run the same command again."
    with as_user_error(f"{folder}: can't be written", advice, SafetensorError):
        model.save_pretrained(folder)
    for path in folder.glob("*.safetensors"):
        follow_umask(path)
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).exists():
            shutil.copyfile(tokenizer_folder / name, folder / name)


def follow_umask(path: Path) -> None:
    """Give a file the mode that open() would have given it: safetensors (0.8) writes files that
    only their owner may read, whatever the umask."""
    umask = os.umask(0o077)
    os.umask(umask)
    path.chmod(0o666 & ~umask)
