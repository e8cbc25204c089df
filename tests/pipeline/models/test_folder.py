"""Models that the user names: a folder, or name@commit on the Hub."""

import json
import subprocess
import sys
from unicodedata import normalize

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from corpora.errors import UserError
from pipeline.models.folder import model_files, model_folder
from pipeline.models.load import load_weights
from tests.conftest import call_pipeline
from tests.pipeline.train_tiny import make_tiny

COMMIT = "0123456789" * 4


def test_a_folders_files_count_but_for_what_is_never_read(tmp_path):
    for name in ("model.safetensors", "config.json", "pytorch_model.bin", "tokenizer.model"):
        (tmp_path / name).touch()
    names = [role for role, _ in model_files(str(tmp_path))]
    assert names == ["config.json", "model.safetensors", "tokenizer.model"]
    assert model_folder(str(tmp_path)) == tmp_path


def test_no_name_and_a_commit_on_the_hub_have_no_files_to_count():
    assert model_files("") == model_files(f"owner/model@{COMMIT}") == []


@pytest.mark.parametrize("name", ["/no/such", "owner/model", "owner/model@main", "a@b@" + COMMIT])
def test_what_is_neither_a_folder_nor_a_pinned_model_is_told(name):
    with pytest.raises(UserError, match=r"no such folder. A model on the Hub is written name@"):
        model_folder(name)


def test_a_folder_without_a_config_is_told(tmp_path):
    with pytest.raises(UserError, match=r"there's no config\.json in it"):
        model_files(str(tmp_path))


@pytest.mark.parametrize("typed, on_disk", [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_folder_whose_name_stands_in_another_normal_form_is_found(tmp_path, typed, on_disk):
    folder = tmp_path / normalize(on_disk, "모델")
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_text("{}")
    name = str(tmp_path / normalize(typed, "모델"))
    assert [path.parent for _, path in model_files(name)] == [folder] * 2
    assert model_folder(name) == folder


@pytest.fixture
def pickled(tmp_path):
    """A model's folder as older versions of transformers wrote it."""
    folder = tmp_path / "a model"
    model = make_tiny()
    model.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return folder


def test_a_folder_with_a_pickle_alone_is_told_the_command_that_converts_it(pickled):
    with pytest.raises(UserError, match=r"pytorch_model\.bin.*convert it once") as error:
        model_files(str(pickled))
    command = str(error.value).splitlines()[1].replace(".venv/bin/python", sys.executable)
    subprocess.run(command, shell=True, check=True, capture_output=True)
    assert "model.safetensors" in [role for role, _ in model_files(str(pickled))]
    load_weights(AutoModelForCausalLM, pickled, "it", AutoConfig.from_pretrained(pickled))


def test_shards_of_a_pickle_are_one_too(pickled):
    (pickled / "pytorch_model.bin").rename(pickled / "pytorch_model-00001-of-00001.bin")
    with pytest.raises(UserError, match=r"pytorch_model-00001-of-00001\.bin.*convert it once"):
        model_folder(str(pickled))


def test_the_command_holds_no_code_of_the_folders_own(pickled):
    config = json.loads((pickled / "config.json").read_text())
    config["architectures"] = ["GPT2LMHeadModel; print('run')"]
    (pickled / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"transformers\.AutoModelForCausalLM\.from_pretrained"):
        model_files(str(pickled))


def test_a_tokenizer_alone_needs_no_weights_beside_it(pickled):
    assert model_folder(str(pickled), weights=False) == pickled


def test_a_folder_without_weights_is_told(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"no weights \(\*\.safetensors\) in it"):
        model_files(str(tmp_path))


WRONG = {
    "no folder": ({}, "/no/such", "no such folder"),
    "no tokenizer": ({}, "model", r"has no tokenizer\.json"),
    "another architecture": (
        {"tokenizer.json": "{}", "config.json": '{"model_type": "gpt_neo"}'},
        "model",
        r"a gpt_neo model, but pretrain\.architecture=gpt2 means gpt2",
    ),
    "too few positions": (
        {"tokenizer.json": "{}", "config.json": '{"model_type": "gpt2", "n_positions": 64}'},
        "model",
        r"pretrain\.context=128: INIT=model has 64 positions",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_init_is_told_before_the_corpus_is_made(tmp_path, what):
    files, name, message = WRONG[what]
    model = tmp_path / "model"
    model.mkdir()
    for file, text in {"config.json": "{}", "model.safetensors": "", **files}.items():
        (model / file).write_text(text)
    with pytest.raises(UserError, match=message):
        call_pipeline("corpus", "--init", name, folder=tmp_path)
    assert not (tmp_path / "artifacts").exists()
