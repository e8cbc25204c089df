"""The family: each architecture trains, resumes and loads with stock classes; what one can't do is refused by name."""
import dataclasses
import itertools

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from corpora.errors import UserError
from pipeline.models.gpt import MODEL_TYPES, TokenLosses, continue_text, make_model
from pipeline.settings import SECTIONS
from pipeline.training import cost
from pipeline.training.batches import shorten
from tests.pipeline.tiny_tokens import END, VOCABULARY

SETTINGS = SECTIONS["pretrain"](layers=2, width=32, heads=2, context=16, compile=False)


def make(**changes):
    return make_model(dataclasses.replace(SETTINGS, **changes), VOCABULARY, END, 0).eval()


def draw_ids(rows=3, length=17):
    return torch.randint(10, 60, (rows, length), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("architecture", MODEL_TYPES)
@pytest.mark.parametrize("tied", [True, False])
def test_the_loss_is_that_of_the_stock_class_after_loading(tmp_path, architecture, tied):
    model, ids_BT = make(architecture=architecture, tied_head=tied), draw_ids()
    model.save_pretrained(tmp_path)
    stock = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert stock.config.model_type == MODEL_TYPES[architecture]
    assert (stock.lm_head.weight.data_ptr() == stock.get_input_embeddings().weight.data_ptr()) is tied
    with torch.no_grad():
        logits_NV = stock(ids_BT[:, :-1]).logits.flatten(0, 1)
        expected = torch.nn.functional.cross_entropy(logits_NV, ids_BT[:, 1:].flatten(), reduction="sum")
        torch.testing.assert_close(TokenLosses(model)(ids_BT), expected, atol=1e-3, rtol=0)
    AutoModelForSequenceClassification.from_pretrained(tmp_path)


@pytest.mark.parametrize("architecture", MODEL_TYPES)
def test_no_token_sees_those_after_it(architecture):
    model, ids_BT = make(architecture=architecture), draw_ids()
    changed_BT = ids_BT.clone()
    changed_BT[:, 10:] = 9
    with torch.no_grad():
        one, two = (model.transformer(ids).last_hidden_state[:, :10] for ids in (ids_BT[:, :16], changed_BT[:, :16]))
    torch.testing.assert_close(one, two)


def test_gpt3s_every_other_layer_sees_a_quarter_of_the_context():
    model = make(architecture="gpt3", layers=2)
    assert model.config.attention_layers == ["global", "local"]
    assert model.config.window_size == 4
    assert make(architecture="gpt3", layers=5).config.attention_layers == ["global", "local", "global", "local", "global"]


@pytest.mark.parametrize("architecture", ["gpt", "gpt3"])
@pytest.mark.parametrize("name", ["compile", "document_masking", "gradient_checkpointing"])
def test_what_an_architecture_cant_do_is_refused_by_name(architecture, name):
    with pytest.raises(UserError, match=rf"pretrain\.{name}=true: architecture={architecture}"):
        make(architecture=architecture, **{name: True})


def test_a_model_of_another_architecture_isnt_continued(tmp_path):
    make(architecture="gpt3").save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"gpt_neo model, but pretrain\.architecture=gpt2"):
        make(init=str(tmp_path))
    assert make(init=str(tmp_path), architecture="gpt3").config.model_type == "gpt_neo"


def test_masked_documents_are_as_if_each_stood_alone():
    ids_BT = draw_ids(2, 17)
    ids_BT[0, [0, 5, 11]] = END
    ids_BT[1, [3, 4]] = END
    model = make()
    with torch.no_grad():
        together = TokenLosses(model, document_masking=True)(ids_BT)
        apart = sum(TokenLosses(model)(piece[None]) for row, cuts in ((0, [0, 5, 11, 16]), (1, [0, 3, 4, 16]))
                    for piece in (ids_BT[row, a:b + 1] for a, b in itertools.pairwise(cuts)))
        mixed = TokenLosses(model)(ids_BT)
    torch.testing.assert_close(together, apart, atol=1e-3, rtol=0)
    assert abs(together - mixed) > 0.01


def test_shortened_sequences_hold_the_same_targets():
    ids_BT = draw_ids(2, 17)
    short_BT = shorten(ids_BT, 4)
    assert short_BT.shape == (8, 5)
    assert torch.equal(short_BT[:, 1:].flatten(), ids_BT[:, 1:].flatten())


class Letters:
    """As much of a tokenizer as sampling needs."""
    pad_token_id = 0

    def __call__(self, text, **_):
        return {"input_ids": [10 + ord(letter) % 50 for letter in text]}

    def decode(self, ids, **_):
        return " ".join(map(str, ids.tolist()))


@pytest.mark.parametrize("architecture", MODEL_TYPES)
def test_each_generates(architecture):
    text, = continue_text(make(architecture=architecture), Letters(), "abc", 8, seed=1, use_cache=False)
    assert 4 <= len(text.split()) <= 11


def test_flops_and_memory_follow_the_formulas():
    model = make(layers=3, width=64, context=32)
    blocks = 3 * 12 * 64 * 64
    assert cost.flops_per_token(model) == 6 * (blocks + VOCABULARY * 64) + 12 * 3 * 32 * 64
    whole, half = (cost.memory_needed(model, dataclasses.replace(SETTINGS, parallel=parallel), 4, world=2) for parallel in ("ddp", "fsdp"))
    assert whole["state"] == 16 * model.num_parameters() == 2 * half["state"]


def test_out_of_memory_names_a_batch_that_fits(monkeypatch):
    model, settings = make(), dataclasses.replace(SETTINGS, batch_size=16, micro_batch_size=16)
    monkeypatch.setattr(cost, "memory_there", lambda device: sum(cost.memory_needed(model, settings, 5, 1).values()) / 0.9)
    with pytest.raises(UserError, match=r"micro_batch_size=4.*should fit"), cost.naming_what_fits(model, settings, "cpu", 1):
        raise torch.OutOfMemoryError("CUDA out of memory")
    monkeypatch.setattr(cost, "memory_there", lambda device: 1)
    with pytest.raises(UserError, match="Not even one sequence"), cost.naming_what_fits(model, settings, "cpu", 1):
        torch.empty(1 << 60)
    with pytest.raises(RuntimeError, match="unrelated"), cost.naming_what_fits(model, settings, "cpu", 1):
        raise RuntimeError("unrelated")
