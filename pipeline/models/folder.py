"""Models that the user names: a Hugging Face folder, or name@commit on the Hub.

No pickle is ever fetched or read. At import only the standard library is needed, so that a stage's
key can be had at once."""

import re
import shlex
from pathlib import Path
from typing import Any

from corpora.errors import UserError, as_user_error, require
from corpora.paths import find_path
from pipeline.artifacts.files import read_json
from pipeline.presets import Preset
from pipeline.settings import PretrainSettings

SUFFIXES = (".json", ".safetensors", ".model", ".txt")
MODEL_TYPES = {"gpt": "openai-gpt", "gpt2": "gpt2", "gpt3": "gpt_neo", "bert": "bert"}
"""What transformers calls the architectures."""


def model_files(name: str, weights: bool = True) -> list[tuple[str, Path]]:
    """(role, path) of the files of a model folder, in the order of their names.

    There are none for "" and for name@commit, whose commit is the content. Raises UserError for
    anything else, and for a folder without a config.json or, if they are wanted, without weights.
    """
    path = find_path(name)
    if name and path.is_dir():
        require(
            (path / "config.json").is_file(),
            f"{path}: not a Hugging Face model folder: there's no config.json in it.",
        )
        if weights:
            require_safetensors(path)
        return [(file.name, file) for file in sorted(path.iterdir()) if file.suffix in SUFFIXES]
    require(
        not name or re.fullmatch(r"[^@]+@[0-9a-f]{40}", name),
        f"{name}: no such folder. A model on the Hub is written name@commit, with all 40 digits: a "
        "branch would change under us.",
    )
    return []


def require_safetensors(folder: Path) -> None:
    """Raise UserError for a model folder without *.safetensors, with the command that makes them of
    a pytorch_model.bin."""
    if any(folder.glob("*.safetensors")):
        return
    pickles = sorted(folder.glob("pytorch_model*.bin"))
    if not pickles:
        raise UserError(f"{folder}: no weights (*.safetensors) in it.")
    with as_user_error(f"{folder}: its config.json can't be read"):
        names = read_json(folder / "config.json").get("architectures")
    # The folder is a stranger's, and the command will be run.
    is_class = names and re.fullmatch(r"[A-Za-z0-9]+", names[0])
    class_name = names[0] if is_class else "AutoModelForCausalLM"
    convert = (
        "import sys, transformers; "
        f"transformers.{class_name}.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[1])"
    )
    raise UserError(
        f"{folder}: its weights are a pickle ({pickles[0].name}), a format that can run code when "
        "it is read; only safetensors are read here. If you trust the file, convert it once:\n"
        f"  .venv/bin/python -c {shlex.quote(convert)} {shlex.quote(str(folder))}"
    )


def check_init(preset: Preset) -> None:
    """Raise UserError for a folder to continue from that can't be: told before the corpus is made,
    which may take hours.

    Of name@commit nothing is known before it is fetched.
    """
    name = preset.tokenizer.init
    if model_files(name, weights=False):
        require(
            (find_path(name) / "tokenizer.json").is_file(),
            f"INIT={name}: has no tokenizer.json. Load it once with AutoTokenizer and "
            "save_pretrained, which writes one.",
        )
    if model_files(preset.pretrain.init):
        require_continuable(preset.pretrain, find_path(preset.pretrain.init))


def require_continuable(settings: PretrainSettings, folder: Path) -> None:
    """Raise UserError for a folder to continue from whose model is of another architecture than the
    settings', or has fewer positions than their context."""
    name = f"INIT={settings.init}"
    with as_user_error(f"{name}: its config.json can't be read"):
        config: dict[str, Any] = read_json(folder / "config.json")
    found = config.get("model_type")
    wanted = MODEL_TYPES[settings.architecture]
    require(
        found == wanted,
        f"{name}: a {found} model, but pretrain.architecture={settings.architecture} means "
        f"{wanted}.",
    )
    positions = config.get("n_positions") or config.get("max_position_embeddings", 0)
    require(
        settings.context <= positions,
        f"pretrain.context={settings.context}: {name} has {positions} positions. Lower the "
        "setting, or name another model.",
    )


def model_folder(name: str, weights: bool = True) -> Path:
    """The folder itself, or a model of the Hub (JSON, tokenizer, safetensors) in the Hub's cache.

    Raises UserError for a name that is neither, for a folder that lacks its config.json or weights
    (if they are wanted), and for what can't be fetched.
    """
    model_files(name, weights)
    if find_path(name).is_dir():
        return find_path(name)
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    patterns = [f"*{suffix}" for suffix in SUFFIXES]
    # Any error: those of the Hub and of the network have no common base.
    with as_user_error(f"{name}: can't be loaded"):
        return Path(snapshot_download(repository, revision=revision, allow_patterns=patterns))
