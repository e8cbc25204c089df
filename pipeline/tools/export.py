"""`make export OUT=folder`: a copy of the trained model, checked to load by itself and to give the
same logits."""

import shutil
import subprocess
import sys

from corpora.errors import UserError, as_user_error, require
from pipeline import cli_options
from pipeline.artifacts.manifest import MANIFEST
from pipeline.artifacts.store import find_linked
from pipeline.launch import read_preset

# Run outside the project, so that none of its code can help.
CHECK = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar
disable_progress_bar()
found = []
for folder in sys.argv[1:3]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    text = "대한민국은 민주공화국이다.\\n<s> ㅋㅋ 🙂"
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    found.append((ids, model(ids).logits))
assert all(torch.equal(before, after) for before, after in zip(*found))
"""


def export(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    out: cli_options.Out = None,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Copy the trained model to a folder and check that it loads there by itself."""
    if out is None:
        raise UserError("export: say where to with OUT=folder.")
    require(not out.exists(), f"OUT={out}: exists already; name a new folder.")
    name = read_preset(preset, overrides).name
    source = find_linked(artifacts, name, "pretrain").verify()
    temporary = out.with_name(out.name + ".tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    with as_user_error(f"OUT={out}: can't be written", kinds=shutil.Error):
        shutil.copytree(source, temporary, ignore=shutil.ignore_patterns("logs", MANIFEST))
    check = [sys.executable, "-c", CHECK, source.resolve(), temporary.resolve()]
    require(
        subprocess.call(check, cwd="/") == 0,
        f"{temporary}: the copy doesn't load by itself with the same logits; it isn't given its "
        "name.",
    )
    temporary.rename(out)
    print(
        f"export: {out}: loads with plain AutoModelForCausalLM and AutoTokenizer; same ids, same "
        "logits"
    )
