"""Models that the user names: a Hugging Face folder, or name@commit on the Hub, of which no pickle is ever fetched. At
import only the standard library is needed, so that a stage's key can be had at once."""
import re
from pathlib import Path

from corpora.errors import as_user_error, require

SUFFIXES = (".json", ".safetensors", ".model", ".txt")


def model_files(name: str) -> list[tuple[str, Path]]:
    """(role, path) of a folder's files; none for "" and name@commit, whose commit is the content. Raises UserError."""
    path = Path(name)
    if name and path.is_dir():
        require((path / "config.json").is_file(),
                f"{path}: not a Hugging Face model folder: there's no config.json in it.")
        return [(file.name, file) for file in sorted(path.iterdir()) if file.suffix in SUFFIXES]
    require(not name or re.fullmatch(r"[^@]+@[0-9a-f]{40}", name), f"{name}: no such folder. A model on the Hub is "
            "written name@commit, with all 40 digits: a branch would change under us.")
    return []


def model_folder(name: str) -> Path:
    """The folder itself, or the Hub's files (JSON, tokenizer, safetensors) in the Hub's cache; raises UserError."""
    model_files(name)
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download
    repository, _, revision = name.partition("@")
    with as_user_error(f"{name}: can't be loaded"):  # the errors of the Hub and of the network have no common base
        return Path(snapshot_download(repository, revision=revision, allow_patterns=[f"*{each}" for each in SUFFIXES]))
