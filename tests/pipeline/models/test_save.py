"""A trained model's folder, and what plain transformers make of it."""

import json
import os
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

from pipeline.models.gpt import make_model
from pipeline.models.save import save_model
from tests.pipeline.tiny_model import VOCABULARY, sample_texts
from tests.pipeline.tiny_tokens import END
from tests.pipeline.train_tiny import make_tiny, tiny
from tests.tiny_tokenizer import train
from tokenizer.export import export

CONTEXT = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    export(train(sample_texts(), vocab_size=VOCABULARY), folder / "tokenizer")
    model = make_model(tiny(context=CONTEXT), VOCABULARY, 3, 0)
    save_model(model, folder / "tokenizer", folder / "model")
    return folder / "model"


@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664)])
def test_every_file_may_be_read_by_whom_the_umask_lets(tmp_path, umask, mode):
    (tmp_path / "tokenizer").mkdir()
    before = os.umask(umask)
    try:
        save_model(make_tiny(), tmp_path / "tokenizer", tmp_path / "model")
    finally:
        os.umask(before)
    files = list((tmp_path / "model").iterdir())
    assert "model.safetensors" in [path.name for path in files]
    assert {path.stat().st_mode & 0o777 for path in files} == {mode}


def test_a_model_goes_with_how_to_sample_from_it_and_its_tokenizer(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "notes.txt").touch()
    save_model(make_tiny(), tmp_path, tmp_path / "model")
    found = AutoModelForCausalLM.from_pretrained(tmp_path / "model").generation_config
    assert (found.do_sample, found.top_k, found.temperature) == (True, 50, 0.8)
    assert found.eos_token_id == END
    assert (tmp_path / "model/tokenizer.json").read_text() == "{}"
    assert not (tmp_path / "model/notes.txt").exists()


def test_a_text_begins_with_the_same_token_in_all_three_configs(folder):
    model = AutoModelForCausalLM.from_pretrained(folder)
    begins = (
        AutoTokenizer.from_pretrained(folder).bos_token_id,
        model.config.bos_token_id,
        model.generation_config.bos_token_id,
    )
    assert begins == (3, 3, 3)


def test_the_tokenizer_of_another_model_begins_texts_as_training_does(folder, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(folder, bos_token="<s>")
    tokenizer.save_pretrained(tmp_path / "adopted")
    save_model(make_tiny(), tmp_path / "adopted", tmp_path / "model")
    assert AutoTokenizer.from_pretrained(tmp_path / "model").bos_token == "</s>"


def test_texts_are_cut_where_the_positions_end(folder):
    ids = AutoTokenizer.from_pretrained(folder)("대한민국은 " * 50, truncation=True)["input_ids"]
    assert len(ids) == CONTEXT


def test_a_text_generation_pipeline_with_its_defaults_stays_within_the_positions(folder):
    generate = pipeline("text-generation", model=str(folder))
    for prompt in ("대한민국은", "한국의 수도 서울은"):
        (found,) = generate(prompt, return_tensors=True)
        assert len(found["generated_token_ids"]) <= CONTEXT


def test_the_context_that_converters_ask_for_survives_plain_transformers(folder, tmp_path):
    AutoModelForCausalLM.from_pretrained(folder).save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["n_ctx"] == CONTEXT
