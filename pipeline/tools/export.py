"""`make export OUT=folder`: a copy of the trained model, checked to load by itself and to give the same logits."""
import shutil
import subprocess
import sys

from corpora import failing, require
from pipeline import artifact

# Run outside the project, so that none of its code can help.
CHECK = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar
disable_progress_bar()
found = []
for folder in sys.argv[1:3]:
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer("대한민국은 민주공화국이다.\\n<s> ㅋㅋ 🙂", return_tensors="pt")["input_ids"]
    found.append((ids, model(ids).logits))
assert all(torch.equal(before, after) for before, after in zip(*found))
"""


def run(arguments, preset) -> None:
    require(arguments.out, "export: say where to with OUT=folder.")
    require(not arguments.out.exists(), f"OUT={arguments.out}: exists already; name a new folder.")
    source = artifact.linked(arguments.artifacts, preset.name, "pretrain").verify()
    temporary = arguments.out.with_name(arguments.out.name + ".tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    with failing(f"OUT={arguments.out}: can't be written", kinds=shutil.Error):
        shutil.copytree(source, temporary, ignore=shutil.ignore_patterns("logs", artifact.MANIFEST))
    require(subprocess.call([sys.executable, "-c", CHECK, source.resolve(), temporary.resolve()], cwd="/") == 0,
            f"{temporary}: the copy doesn't load by itself with the same logits; it isn't given its name.")
    temporary.rename(arguments.out)
    print(f"export: {arguments.out}: loads with plain AutoModelForCausalLM and AutoTokenizer; same ids, same logits")
