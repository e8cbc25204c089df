"""FORMAT=hf: a copy of the model's folder, checked to load by itself, with the same logits as the
original."""

import shutil
import subprocess
import sys
from pathlib import Path

from corpora.errors import as_user_error, require
from pipeline.artifacts.manifest import MANIFEST

LEFT_OUT = (
    MANIFEST,
    "logs",
    "snapshots",
    "checkpoint-*",
    "runs",
    ".*",
    "*.tmp",
    "*.bin",
    "*.pt",
    "*.pth",
)
"""What is about a training, or may hold code."""

# Run outside the project, so that none of its code can help.
CHECK = """
import sys, torch, transformers
from transformers import AutoConfig, AutoTokenizer
from transformers.utils.logging import disable_progress_bar
disable_progress_bar()
found = []
for folder in sys.argv[1:3]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model_class = getattr(transformers, AutoConfig.from_pretrained(folder).architectures[0])
    model = model_class.from_pretrained(folder).eval()
    text = "대한민국은 민주공화국이다.\\n<s> ㅋㅋ 🙂"
    ids = tokenizer(text, return_tensors="pt", verbose=False)["input_ids"]
    ids = ids[:, : model.config.max_position_embeddings]
    found.append((ids, model(ids).logits))
assert all(torch.equal(before, after) for before, after in zip(*found))
"""


def write_copy(source: Path, folder: Path) -> str:
    """Copy a model's folder; returns what was checked.

    Raises UserError where it can't be written, or where the copy doesn't load by itself.
    """
    with as_user_error(f"{folder}: can't be written", kinds=(shutil.Error, OSError)):
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    check = [sys.executable, "-c", CHECK, source.resolve(), folder.resolve()]
    require(
        subprocess.call(check, cwd="/") == 0,
        f"{folder}: the copy doesn't load by itself with the same logits; it isn't given its name.",
    )
    return "loads with transformers' own classes alone; same ids, same logits"
