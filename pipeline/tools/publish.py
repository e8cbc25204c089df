"""`make publish REPO=owner/name`: the trained model, or MODEL=, on the Hugging Face Hub, with its
card.

What is uploaded is what `make export` writes, checked in the same way. A new repository is private:
what has once been public can't be taken back."""

import re
import sys
import tempfile
from pathlib import Path

from corpora.errors import UserError, as_user_error, require
from pipeline import cli_options
from pipeline.cli_options import Format, Quant
from pipeline.tools.export import find_model, writer_of

CARD = "README.md"
NO_TOKEN = (
    "publish: no token for the Hub. Make one that may write, in your settings there, then run "
    "`.venv/bin/hf auth login` once, or set HF_TOKEN in the environment."
)
REFUSED = {
    401: "the Hub doesn't accept the token: it is wrong, or has expired.",
    403: "the token may not write there: it needs write access, and the owner has to be you or an "
    "organisation of yours.",
    404: "the Hub doesn't know it, or the token may not see it.",
}
"""What a status means."""


def publish(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    model: cli_options.Model = None,
    format: cli_options.FormatName = Format.hf,
    quant: cli_options.QuantName = Quant.none,
    repo: cli_options.Repo = "",
    yes: cli_options.Yes = False,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Upload the preset's model, or MODEL=, to the Hugging Face Hub, after asking."""
    require(
        re.fullmatch(r"[\w.-]+/[\w.-]+", repo), f"REPO={repo}: say where to with REPO=owner/name."
    )
    import huggingface_hub

    require(huggingface_hub.get_token(), NO_TOKEN)
    write = writer_of(format, quant)
    source = find_model(preset, overrides, model, artifacts)
    name = repo.partition("/")[2]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        if format is Format.gguf:
            folder.mkdir()
            checked = write(source, folder / f"{name}.gguf")
        else:
            checked = write(source, folder)
        write_card(source, folder, repo)
        print(f"publish: {checked}\n{describe(folder, repo)}", flush=True)
        confirm(yes)
        print(f"publish: {upload(folder, repo)}")


def write_card(source: Path, folder: Path, repo: str) -> None:
    """Put the model's card into the folder, with the repository in its examples.

    Raises UserError for a model without one.
    """
    card = source / CARD
    require(
        card.is_file(),
        f"{source}: no {CARD} in it. Write a card that says what the text's licences are, then "
        "publish.",
    )
    text = card.read_text(encoding="utf-8").replace("THIS_FOLDER", repo)
    (folder / CARD).write_text(text, encoding="utf-8")


def describe(folder: Path, repo: str) -> str:
    """What will be uploaded, and where."""
    from huggingface_hub import HfApi

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    lines = [f"{size:>15,}  {path.relative_to(folder)}" for path, size in zip(files, sizes)]
    return (
        f"to {HfApi().endpoint}/{repo} (private if it is new; as it is if it is there):\n"
        + "\n".join(lines)
        + f"\n{sum(sizes):>15,}  bytes in {len(files)} files"
    )


def confirm(yes: bool) -> None:
    """Ask whether to go on; raises UserError unless the answer is yes."""
    if yes:
        return
    require(sys.stdin.isatty(), "publish: nobody to ask: YES=1 uploads without asking.")
    answer = input("Upload this? [y/N] ")
    require(answer.strip().lower() in ("y", "yes"), "publish: nothing was uploaded.")


def upload(folder: Path, repo: str) -> str:
    """Upload a folder in one commit; returns its address.

    Raises UserError for what the Hub refuses, and where it can't be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi()
    what = f"REPO={repo}: can't be published"
    with as_user_error(what, "Check the network, HF_ENDPOINT and HF_HUB_OFFLINE."):
        try:
            api.create_repo(repo, private=True, exist_ok=True)
            done = api.upload_folder(
                repo_id=repo, folder_path=folder, commit_message="Upload the model"
            )
        except HfHubHTTPError as error:
            reason = REFUSED.get(error.response.status_code)
            if reason is None:
                raise
            raise UserError(f"{what}: {reason}") from error
    return str(done.commit_url)
