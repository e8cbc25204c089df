"""A model as ONNX, run as others run it."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from corpora.errors import UserError
from pipeline.cli_options import Format
from pipeline.tools.export import export
from tests.pipeline.tools.export.saved import save

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(tmp_path_factory.mktemp("onnx"))


@pytest.fixture(scope="module")
def exported(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "model"
    export(model=str(folder), format=Format.onnx, out=out)
    return out


@pytest.fixture(scope="module")
def session(exported):
    import onnxruntime

    return onnxruntime.InferenceSession(
        exported / "onnx/model.onnx", providers=["CPUExecutionProvider"]
    )


@pytest.mark.parametrize("batch, length", [(1, 1), (1, 16), (5, 7)])
def test_logits_are_those_of_transformers_at_any_size(folder, session, batch, length):
    ids = torch.randint(1000, (batch, length), generator=torch.Generator().manual_seed(1))
    feed = {"input_ids": ids.numpy(), "attention_mask": np.ones((batch, length), np.int64)}
    for each in session.get_inputs()[2:]:
        feed[each.name] = np.zeros((batch, 2, 0, 16), np.float32)
    found = session.run(["logits"], feed)[0]
    wanted = AutoModelForCausalLM.from_pretrained(folder)(ids).logits
    assert np.abs(found - wanted.detach().numpy()).max() < 1e-4


def test_names_and_axes_are_those_that_transformers_js_looks_for(session):
    shapes = {each.name: each.shape for each in session.get_inputs()}
    assert shapes["input_ids"] == ["batch_size", "sequence_length"]
    assert shapes["past_key_values.1.value"] == ["batch_size", 2, "past_sequence_length", 16]
    assert [each.name for each in session.get_outputs()][:2] == ["logits", "present.0.key"]


def test_the_tokenizer_and_the_configs_lie_beside_it(folder, exported):
    assert AutoTokenizer.from_pretrained(exported)("글").input_ids
    for name in ("config.json", "generation_config.json"):
        assert json.loads((exported / name).read_text()) == json.loads((folder / name).read_text())


def test_another_architecture_is_refused_by_name(tmp_path):
    folder = save(tmp_path, architecture="gpt3")
    with pytest.raises(UserError, match="a gpt_neo model: only gpt2 is exported to ONNX"):
        export(model=str(folder), format=Format.onnx, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_logits_that_differ_arent_given_a_name(folder, tmp_path, monkeypatch):
    from pipeline.tools.export import onnx_folder

    build = onnx_folder.build

    another = AutoModelForCausalLM.from_pretrained(save(tmp_path / "another", seed=2)).eval()
    monkeypatch.setattr(onnx_folder, "build", lambda model: build(another))
    with pytest.raises(UserError, match="logits differ by"):
        export(model=str(folder), format=Format.onnx, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
