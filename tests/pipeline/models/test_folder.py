"""Models that the user names: a folder, or name@commit on the Hub."""

from unicodedata import normalize

import pytest

from corpora.errors import UserError
from pipeline.models.folder import model_files, model_folder

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
