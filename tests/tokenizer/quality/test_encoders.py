"""Any tokenizer opens as an encoder, or is refused by name."""

import json

import pytest

from corpora.errors import UserError
from tests.tiny_tokenizer import train_on_articles
from tokenizer.export import export
from tokenizer.quality.encoders import open_any

CODE_FROM_A_FOLDER = {
    "model_type": "odd",
    "auto_map": {"AutoConfig": "code.Odd", "AutoTokenizer": ["code.Odd", None]},
}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", "{broken", "can't be loaded"),
        ("sentencepiece.model", "broken", "damaged"),
        ("readme.txt", "nothing", "no tokenizer can be loaded"),
        ("config.json", json.dumps(CODE_FROM_A_FOLDER), "no tokenizer can be"),
    ],
)
def test_folders_without_a_sound_tokenizer_are_refused_by_name(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=f"{tmp_path.name}.*{message}"):
        open_any(tmp_path)


def test_of_two_sentencepiece_models_one_has_to_be_named(tmp_path):
    export(train_on_articles(), tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    model = tmp_path / "sentencepiece.model"
    (tmp_path / "other.model").write_bytes(model.read_bytes())
    with pytest.raises(UserError, match=r"2 \.model files"):
        open_any(tmp_path)
    assert open_any(tmp_path / "other.model").encode("국민") == open_any(model).encode("국민")
