"""`make generate`: continuations, and nothing else, on the screen."""

from pathlib import Path

import pytest
import torch
from transformers import GPT2LMHeadModel

from corpora.errors import UserError
from pipeline.tools.generate import NUM_TEXTS, generate
from tests.conftest import run_pipeline
from tests.pipeline.tiny_model import write_gpt2


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model that ends most texts after a few tokens."""
    folder = write_gpt2(tmp_path_factory.mktemp("model"))
    model = GPT2LMHeadModel.from_pretrained(folder)
    end = model.config.eos_token_id
    with torch.no_grad():
        model.transformer.ln_f.bias.copy_(8 * model.transformer.wte.weight[end])
    model.save_pretrained(folder)
    return folder


def test_the_command_prints_the_prompt_continued_and_no_warning(folder, tmp_path):
    done = run_pipeline("generate", "--model", folder, "--prompt", "대한민국은", folder=tmp_path)
    assert done.stdout.count("대한민국은") >= NUM_TEXTS
    assert done.stderr == ""


def test_a_prompt_that_is_too_long_is_told_with_what_to_do(folder, tmp_path):
    with pytest.raises(UserError, match=r"fill the model's context of 96\. Shorten the prompt to"):
        generate(model=str(folder), prompt="대한민국은 " * 100, artifacts=tmp_path)


def test_a_folder_that_isnt_a_model_is_told_with_its_name(folder, tmp_path):
    (tmp_path / "config.json").write_text("{broken")
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(UserError, match=f"{tmp_path}: can't be loaded"):
        generate(model=str(tmp_path), artifacts=tmp_path)
