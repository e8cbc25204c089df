"""The exported folder loads where none of this project's code is, and can be trained on."""

import json
import shutil
import subprocess
import sys

import pytest

from corpora.errors import UserError
from tests.conftest import call_pipeline, make_environment

LOADED_OUTSIDE = """
import hashlib, json, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

for folder in sys.argv[1:]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    text = "대한민국은 민주공화국이다.\\n<s> ㅋㅋ 🙂"
    ids = tokenizer(text, return_tensors="pt")["input_ids"][:, :30]
    with torch.no_grad():
        logits = model(ids).logits
    print(json.dumps([ids.tolist(), hashlib.sha256(logits.numpy().tobytes()).hexdigest()]))
ours = ("pipeline", "tokenizer", "corpora")
print(json.dumps([name for name in sys.modules if name.split(".")[0] in ours]))
"""
EXECUTABLE = ("*.bin", "*.pt", "*.pkl")
"""What formats that can hold code are named."""


def test_the_model_loads_outside_the_project_with_the_same_ids_and_logits(built, exported):
    environment = make_environment()
    del environment["PYTHONPATH"]
    done = subprocess.run(
        [sys.executable, "-c", LOADED_OUTSIDE, exported, built / "artifacts/tiny/pretrain"],
        cwd="/",
        env=environment,
        text=True,
        capture_output=True,
        check=True,
    )
    copied, original, of_ours = map(json.loads, done.stdout.splitlines()[-3:])
    assert copied == original
    assert of_ours == []
    assert not [path for pattern in EXECUTABLE for path in exported.rglob(pattern)]


def test_the_copy_holds_neither_logs_nor_the_manifest(exported):
    assert (exported / "tokenizer.json").exists()
    assert not (exported / "manifest.json").exists()
    assert not (exported / "logs").exists()


def test_a_folder_that_is_there_is_not_written_over(built, tiny_preset, exported):
    before = sorted(exported.iterdir())
    with pytest.raises(UserError, match="exists already"):
        call_pipeline("export", "--preset", tiny_preset, "--out", exported, folder=built)
    assert sorted(exported.iterdir()) == before


def test_without_a_trained_model_the_command_that_trains_one_is_named(tmp_path):
    with pytest.raises(UserError, match="make pretrain PRESET=demo"):
        call_pipeline("export", "--out", "out", folder=tmp_path)


def test_pretraining_continues_from_the_model_and_its_tokenizer(copy, tiny_preset, exported):
    before = json.loads((copy / "artifacts/tiny/pretrain/manifest.json").read_text())["counts"]
    shutil.rmtree(copy / "artifacts/pretrain")
    for stage in ("tokenizer", "tokens", "pretrain"):
        typed = ("--preset", tiny_preset, "--init", exported, "pretrain.steps=5")
        call_pipeline(stage, *typed, folder=copy)
    after = json.loads((copy / "artifacts/tiny/pretrain/manifest.json").read_text())["counts"]
    assert after["bits_per_byte"] < before["bits_per_byte"] + 0.5
    adopted, original = (
        json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
        for folder in (copy / "artifacts/tiny/tokenizer", exported)
    )
    assert adopted["vocab"] == original["vocab"]
