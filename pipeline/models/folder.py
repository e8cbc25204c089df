"""Models that the user names: a Hugging Face folder, or name@commit on the Hub.

No pickle is ever fetched. At import only the standard library is needed, so that a stage's key can
be had at once."""

import re
from pathlib import Path

from corpora.errors import as_user_error, require
from corpora.paths import find_path

SUFFIXES = (".json", ".safetensors", ".model", ".txt")


def model_files(name: str) -> list[tuple[str, Path]]:
    """(role, path) of the files of a model folder, in the order of their names.

    There are none for "" and for name@commit, whose commit is the content. Raises UserError for
    anything else.
    """
    path = find_path(name)
    if name and path.is_dir():
        require(
            (path / "config.json").is_file(),
            f"{path}: not a Hugging Face model folder: there's no config.json in it.",
        )
        return [(file.name, file) for file in sorted(path.iterdir()) if file.suffix in SUFFIXES]
    require(
        not name or re.fullmatch(r"[^@]+@[0-9a-f]{40}", name),
        f"{name}: no such folder. A model on the Hub is written name@commit, with all 40 digits: a "
        "branch would change under us.",
    )
    return []


def model_folder(name: str) -> Path:
    """The folder itself, or a model of the Hub (JSON, tokenizer, safetensors) in the Hub's cache.

    Raises UserError for a name that is neither, and for what can't be fetched.
    """
    model_files(name)
    if find_path(name).is_dir():
        return find_path(name)
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    patterns = [f"*{suffix}" for suffix in SUFFIXES]
    # Any error: those of the Hub and of the network have no common base.
    with as_user_error(f"{name}: can't be loaded"):
        return Path(snapshot_download(repository, revision=revision, allow_patterns=patterns))
