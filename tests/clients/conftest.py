"""What the clients get: the folder of artifacts/PRESET/pretrain, what the project's own command
exports of it, texts and their ids.

Nothing of this project is imported here: its commands are run in its own environment."""

import json
import os
import subprocess
import tomllib
from pathlib import Path
from unicodedata import normalize

import pytest
from datasets import load_dataset
from sentencepiece import SentencePieceProcessor

PROJECT = Path(__file__).parent.parent.parent
ARTIFACTS = PROJECT / os.environ["CLIENTS_ARTIFACTS"]  # such as artifacts/demo
SPECIAL_TOKENS = ("<pad>", "<unk>", "<s>", "</s>", "<sep>", "<subj>", "</subj>", "<obj>", "</obj>")
NUM_LINES = 200
PROMPTS = ("대한민국은", "제1조(목적) 이 법은", "국회의원의", "모든 국민은 법 앞에")
END = 3


def run_project(*arguments: str | Path) -> str:
    """A command of the project; returns what it printed."""
    done = subprocess.run(
        [PROJECT / ".venv/bin/python", "-m", "pipeline", *arguments],
        cwd=PROJECT,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("hf") / "model"
    run_project("export", "--model", ARTIFACTS / "pretrain", "--out", out)
    return out


@pytest.fixture(scope="session")
def onnx_folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("onnx") / "model"
    run_project("export", "--model", ARTIFACTS / "pretrain", "--format", "onnx", "--out", out)
    return out


@pytest.fixture(scope="session", params=["none", "q8_0"])
def gguf_file(request, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("gguf") / f"{request.param}.gguf"
    typed = ("--model", ARTIFACTS / "pretrain", "--format", "gguf", "--quant", request.param)
    run_project("export", *typed, "--out", out)
    return out


@pytest.fixture(scope="session")
def lines() -> list[str]:
    """Lines of held-out text."""
    files = [str(path) for path in sorted((ARTIFACTS / "corpus/validation").glob("*.parquet"))]
    texts = load_dataset("parquet", data_files=files, split="train")["text"]
    found = [line for text in texts for line in text.splitlines() if line.strip()]
    return found[:NUM_LINES]


@pytest.fixture(scope="session")
def texts(lines) -> list[str]:
    """Strings that tend to break tokenizers, and lines of held-out text, as they are and in NFD."""
    table = tomllib.loads((PROJECT / "tokenizer/quality/nasty_strings.toml").read_text("utf-8"))
    repeated = [each["text"] * each["times"] for each in table["repeated"]]
    return [
        *SPECIAL_TOKENS,
        *repeated,
        *table["strings"],
        *lines,
        *(normalize("NFD", each) for each in lines),
    ]


@pytest.fixture(scope="session")
def composed(texts) -> list[str]:
    """The texts in NFC, as the model was trained."""
    return [normalize("NFC", text) for text in texts]


@pytest.fixture(scope="session")
def ids(model_folder, composed) -> list[list[int]]:
    """The texts' ids, by sentencepiece, which the model was trained with."""
    model = SentencePieceProcessor(model_file=str(model_folder / "sentencepiece.model"))
    return model.encode(composed)


@pytest.fixture(scope="session")
def greedy(model_folder) -> dict[str, str]:
    """What the model itself makes of the prompts, each begun as in training."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    found = {}
    for prompt in PROMPTS:
        prompt_ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer(prompt).input_ids]])
        written = model.generate(prompt_ids, do_sample=False, max_length=48)
        found[prompt] = tokenizer.decode(written[0], skip_special_tokens=True)
    return found


@pytest.fixture(scope="session")
def read_config(model_folder):
    return lambda name: json.loads((model_folder / name).read_text("utf-8"))
