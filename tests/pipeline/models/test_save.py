"""A trained model's folder."""

import os

import pytest
from transformers import AutoModelForCausalLM

from pipeline.models.save import save_model
from tests.pipeline.tiny_tokens import END
from tests.pipeline.train_tiny import make_tiny


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
