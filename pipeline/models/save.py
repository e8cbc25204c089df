"""A trained model as a plain Hugging Face folder, with the tokenizer it was trained with, and with
what other people's tools look for in such a folder."""

import os
import shutil
from pathlib import Path

from safetensors import SafetensorError
from transformers import GenerationConfig, PreTrainedConfig, PreTrainedModel

from corpora.errors import as_user_error
from pipeline.artifacts.files import read_json, write_json
from pipeline.models.generate import TEMPERATURE, TOP_K
from pipeline.models.gpt import is_bert
from pipeline.models.masking import MASK_TOKEN
from pipeline.models.tokenizer_files import add_tokens, set_template, unlist

TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
TOKENIZER_FILES = (
    TOKENIZER,
    TOKENIZER_CONFIG,
    "special_tokens_map.json",
    "sentencepiece.model",
)


def save_model(model: PreTrainedModel, tokenizer_folder: Path, folder: Path) -> None:
    """Write weights, configs and the tokenizer's files; raises UserError for a full disk."""
    config = model.config
    if config.model_type == "gpt2":
        config.n_ctx = config.n_positions  # llama.cpp's converter asks for it
    if not is_bert(model):
        model.generation_config = generation_config(config)
    advice = "Make room, then run the same command again."
    with as_user_error(f"{folder}: can't be written", advice, SafetensorError):
        model.save_pretrained(folder)
    for path in folder.glob("*.safetensors"):
        follow_umask(path)
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).exists():
            shutil.copyfile(tokenizer_folder / name, folder / name)
    if (folder / TOKENIZER_CONFIG).exists():
        fit_tokenizer(folder / TOKENIZER_CONFIG, config)
        if is_bert(model):
            prepare_for_masks(folder, config)


def generation_config(config: PreTrainedConfig) -> GenerationConfig:
    """How texts are sampled where nobody says otherwise.

    Without the longest length `pipeline("text-generation")` writes past the last position.
    """
    return GenerationConfig(
        bos_token_id=config.bos_token_id,
        eos_token_id=config.eos_token_id,
        pad_token_id=config.pad_token_id,
        max_length=config.max_position_embeddings,
        do_sample=True,
        top_k=TOP_K,
        temperature=TEMPERATURE,
    )


def fit_tokenizer(path: Path, config: PreTrainedConfig) -> None:
    """Write into a tokenizer_config.json what the model alone knows: its longest input, to which
    `truncation=True` cuts, and that a text begins with the end token, which an adopted tokenizer
    may see differently."""
    options = read_json(path)
    options["model_max_length"] = config.max_position_embeddings
    options["bos_token"] = options["eos_token"]
    write_json(path, options)


def prepare_for_masks(folder: Path, config: PreTrainedConfig) -> None:
    """Have a BERT's tokenizer find its mask in a text, and put the end token around the text, as
    people expect of a BERT. This project's tokenizers get a reserved token for the mask.

    A special token's name in a text is that token then, as it is with every BERT.
    """
    options = read_json(folder / TOKENIZER_CONFIG)
    content = read_json(folder / TOKENIZER)
    vocabulary: dict[str, int] = content["model"]["vocab"]
    mask = options.setdefault("mask_token", MASK_TOKEN)
    end = (options["eos_token"], config.eos_token_id)
    set_template(content, [end, "A", end], [end, "A", end, "B", end])
    options["split_special_tokens"] = False
    if mask in vocabulary:
        add_tokens(content, [(mask, vocabulary[mask])], special=True)
        unlist(options, {mask})
    write_json(folder / TOKENIZER, content)
    write_json(folder / TOKENIZER_CONFIG, options)


def follow_umask(path: Path) -> None:
    """Give a file the mode that open() would have given it: safetensors (0.8) writes files that
    only their owner may read, whatever the umask."""
    umask = os.umask(0o077)
    os.umask(umask)
    path.chmod(0o666 & ~umask)
