"""Pretraining with hidden words: a BERT, and a GPT-2 in part of its steps."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer, pipeline

from corpora.errors import UserError
from pipeline.executors import Context
from pipeline.stages import pretrain
from pipeline.tools.export.plain import write_copy
from pipeline.tools.generate import generate
from tests.pipeline.stages.pretrain_inputs import write_inputs
from tests.pipeline.train_tiny import tiny


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[str, Path]:
    return write_inputs(tmp_path_factory.mktemp("inputs"), first=1000)  # no special tokens


def run(inputs: dict[str, Path], folder: Path, **changes) -> dict:
    settings = tiny(micro_batch_size=4, context=64, **changes)
    return pretrain.run(settings, inputs, folder, Context("cpu"))


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


@pytest.fixture(scope="module")
def bert(inputs, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    run(inputs, folder, architecture="bert", document_masking=True)
    return folder


def test_a_bert_loads_with_stock_classes_and_fills_its_mask(bert):
    model = AutoModelForMaskedLM.from_pretrained(bert)
    assert type(model).__name__ == "BertForMaskedLM"
    tokenizer = AutoTokenizer.from_pretrained(bert)
    ids = tokenizer(f"오늘 {tokenizer.mask_token} 간다")["input_ids"]
    assert ids[0] == ids[-1] == 3
    assert ids.count(tokenizer.mask_token_id) == 1
    fill = pipeline("fill-mask", str(bert), device="cpu")
    assert len(fill(f"오늘 {tokenizer.mask_token} 간다")) == 5


def test_its_card_and_samples_say_what_it_is(bert):
    card = (bert / "README.md").read_text("utf-8")
    assert "# Korean BERT" in card
    assert "compares with no GPT's loss" in card
    assert "bits per byte**" not in card
    samples = (bert / "logs/samples-000008.md").read_text("utf-8").splitlines()
    assert len(samples) == len(pretrain.PROMPTS)
    assert all(line.endswith("]") and line.count(", ") >= 4 for line in samples)


def test_it_learns_to_fill_what_the_text_repeats(inputs, tmp_path):
    """The tiny tokens are random ones: only which there are can be learnt."""
    before = run(inputs, tmp_path / "one", architecture="bert", steps=3, warmup_steps=0)
    after = run(inputs, tmp_path / "many", architecture="bert", steps=60, warmup_steps=5)
    assert after["validation_loss"] < before["validation_loss"] - 0.1


def test_a_bert_that_was_stopped_ends_with_the_same_weights(inputs, tmp_path, bert, monkeypatch):
    calls = []
    real = pretrain.Trainer.validate

    def stop_once(self, done, bar):
        result = real(self, done, bar)
        if not calls:
            calls.append(done)
            self.save(done)
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(pretrain.Trainer, "validate", stop_once)
    changes = {"architecture": "bert", "document_masking": True}
    with pytest.raises(KeyboardInterrupt):
        run(inputs, tmp_path, **changes)
    assert run(inputs, tmp_path, **changes)["resumes"] == 1
    for name, weight in weights_of(bert).items():
        assert torch.equal(weight, weights_of(tmp_path)[name]), name


def test_a_gpt2_that_hides_words_in_some_steps_is_another_and_still_causal(inputs, tmp_path):
    run(inputs, tmp_path / "plain")
    run(inputs, tmp_path / "mixed", masked_share=0.25)
    plain, mixed = (weights_of(tmp_path / name) for name in ("plain", "mixed"))
    assert any(not torch.equal(plain[name], mixed[name]) for name in plain)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "mixed").eval()
    assert type(model).__name__ == "GPT2LMHeadModel"
    ids = torch.tensor([[3, 10, 11, 12]])
    changed = torch.tensor([[3, 10, 11, 13]])
    first = [model(each).logits[0, :3] for each in (ids, changed)]
    torch.testing.assert_close(*first)
    card = (tmp_path / "mixed/README.md").read_text("utf-8")
    assert "In 25 % of its steps it read both ways" in card


@pytest.mark.parametrize("architecture", ["gpt", "gpt3", "bert"])
def test_only_a_gpt2_does_both(inputs, tmp_path, architecture):
    with pytest.raises(UserError, match=r"masked_share=0\.25: is for architecture=gpt2"):
        run(inputs, tmp_path, architecture=architecture, masked_share=0.25)


def test_a_bert_is_copied_and_is_not_asked_to_go_on_from_a_text(bert, tmp_path):
    assert "transformers' own classes alone" in write_copy(bert, tmp_path / "copy")
    with pytest.raises(UserError, match="a bert, which fills gaps"):
        generate(model=str(bert), artifacts=tmp_path)


def test_a_tokenizer_without_a_mask_is_told(inputs, tmp_path):
    tokenizer = tmp_path / "tokenizer"
    shutil.copytree(inputs["tokenizer"], tokenizer)
    path = tokenizer / "tokenizer.json"
    path.write_text(path.read_text("utf-8").replace("<reserved_99>", "<other>"), "utf-8")
    path = tokenizer / "tokenizer_config.json"
    path.write_text(path.read_text("utf-8").replace("<reserved_99>", "<other>"), "utf-8")
    with pytest.raises(UserError, match="the tokenizer has no mask token"):
        run(inputs | {"tokenizer": tokenizer}, tmp_path / "out", architecture="bert")
