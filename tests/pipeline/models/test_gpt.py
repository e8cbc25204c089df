"""The family: each architecture trains and loads with stock classes; what one can't do is refused
by name."""

import pytest
import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from corpora.errors import UserError
from pipeline.models.gpt import MODEL_TYPES, auto_class_of, blocks_of
from pipeline.models.losses import TokenLosses
from tests.pipeline.train_tiny import GPTS, make_tiny


def draw_ids(rows=3, length=17):
    return torch.randint(10, 60, (rows, length), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("architecture", GPTS)
@pytest.mark.parametrize("tied", [True, False])
def test_the_loss_is_that_of_the_stock_class_after_loading(tmp_path, architecture, tied):
    model = make_tiny(architecture=architecture, tied_head=tied).eval()
    ids_BT = draw_ids()
    model.save_pretrained(tmp_path)
    stock = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert stock.config.model_type == MODEL_TYPES[architecture]
    embeddings = stock.get_input_embeddings().weight
    assert (stock.lm_head.weight.data_ptr() == embeddings.data_ptr()) is tied
    with torch.no_grad():
        logits_NV = stock(ids_BT[:, :-1]).logits.flatten(0, 1)
        targets_N = ids_BT[:, 1:].flatten()
        expected = functional.cross_entropy(logits_NV, targets_N, reduction="sum")
        torch.testing.assert_close(TokenLosses(model)(ids_BT), expected, atol=1e-3, rtol=0)
    AutoModelForSequenceClassification.from_pretrained(tmp_path)


@pytest.mark.parametrize("architecture", GPTS)
def test_no_token_sees_those_after_it(architecture):
    model = make_tiny(architecture=architecture).eval()
    ids_BT = draw_ids(length=16)
    changed_BT = ids_BT.clone()
    changed_BT[:, 10:] = 9
    with torch.no_grad():
        one = model.base_model(ids_BT).last_hidden_state
        two = model.base_model(changed_BT).last_hidden_state
    torch.testing.assert_close(one[:, :10], two[:, :10])


def test_gpt3s_every_other_layer_sees_a_quarter_of_the_context():
    config = make_tiny(architecture="gpt3", layers=5).config
    assert config.attention_layers == ["global", "local", "global", "local", "global"]
    assert config.window_size == 4


@pytest.mark.parametrize(
    "architecture, name",
    [("gpt", "document_masking"), ("gpt", "gradient_checkpointing"), ("gpt3", "document_masking")],
)
def test_what_an_architecture_cant_do_is_refused_by_name(architecture, name):
    with pytest.raises(UserError, match=rf"pretrain\.{name}=true: architecture={architecture}"):
        make_tiny(architecture=architecture, **{name: True})


def test_gpt3s_queries_begin_as_if_the_scores_were_divided_by_the_root_of_a_heads_width(tmp_path):
    """GPTNeo doesn't divide them."""
    model = make_tiny(architecture="gpt3", width=128, heads=2)
    attention = blocks_of(model)[0].attn.attention
    assert attention.q_proj.weight.std().item() == pytest.approx(0.02 / 8, rel=0.05)
    assert attention.k_proj.weight.std().item() == pytest.approx(0.02, rel=0.05)
    model.save_pretrained(tmp_path)
    continued = make_tiny(architecture="gpt3", width=128, heads=2, init=str(tmp_path))
    assert torch.equal(
        blocks_of(continued)[0].attn.attention.q_proj.weight, attention.q_proj.weight
    )


def test_gradient_checkpointing_changes_no_gradient_of_gpt3():
    gradients = []
    for checkpointing in (False, True):
        model = make_tiny(architecture="gpt3", gradient_checkpointing=checkpointing).train()
        TokenLosses(model)(draw_ids()).backward()
        gradients.append([weight.grad for weight in model.parameters()])
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


def test_a_model_of_another_architecture_isnt_continued(tmp_path):
    make_tiny(architecture="gpt3").save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"gpt_neo model, but pretrain\.architecture=gpt2"):
        make_tiny(init=str(tmp_path))
    continued = make_tiny(init=str(tmp_path), architecture="gpt3")
    assert continued.config.model_type == "gpt_neo"


@pytest.mark.parametrize("architecture", MODEL_TYPES)
def test_a_model_is_continued_without_its_dropout(tmp_path, architecture):
    model = make_tiny(architecture=architecture)
    model.config.update({name: 0.1 for name in model.config.to_dict() if is_dropout(name)})
    model.save_pretrained(tmp_path)
    stock = auto_class_of(model.config).from_pretrained(tmp_path)
    assert any(probabilities_of(stock))
    continued = make_tiny(init=str(tmp_path), architecture=architecture)
    assert not any(probabilities_of(continued))


def is_dropout(name):
    return name.endswith(("_pdrop", "_dropout", "_dropout_prob")) and not name.startswith("summary")


def probabilities_of(model):
    return [each.p for each in model.modules() if isinstance(each, torch.nn.Dropout)]


def test_a_model_with_too_few_positions_isnt_continued(tmp_path):
    make_tiny(context=16).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"pretrain\.context=32: .* has 16 positions\. Lower "):
        make_tiny(init=str(tmp_path), context=32)


def test_a_folder_that_lacks_weights_isnt_continued(tmp_path):
    make_tiny(layers=1).save_pretrained(tmp_path)
    config = (tmp_path / "config.json").read_text().replace('"n_layer": 1', '"n_layer": 2')
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(UserError, match=r"INIT=.*: its weights lack 12 tensors.*transformer\.h\.1"):
        make_tiny(init=str(tmp_path))
