"""Attention by torch's kernels: stock logits, masks that are right, and nothing of it in the saved
folder."""

import warnings

import pytest
import torch
from torch.nn.attention import flex_attention
from transformers import AutoModelForCausalLM

from pipeline.models import attention, losses
from pipeline.models.attention import (
    causal_kernels,
    causal_matmul,
    dense_mask,
    mask_in_blocks,
    quickest,
    within_documents,
    within_window,
)
from pipeline.models.folder import MODEL_TYPES
from pipeline.models.gpt import auto_class_of, blocks_of, is_bert
from pipeline.models.losses import TokenLosses
from tests.pipeline.tiny_tokens import END
from tests.pipeline.train_tiny import GPTS, make_tiny

CPU = torch.device("cpu")


def cache_of(model) -> dict[str, bool]:
    """A BERT has none."""
    return {} if is_bert(model) else {"use_cache": False}


def draw_ids(rows, length):
    ids_BT = torch.randint(10, 60, (rows, length), generator=torch.Generator().manual_seed(0))
    ids_BT[:, ::7] = END
    return ids_BT


@pytest.mark.parametrize("architecture", GPTS)
@pytest.mark.parametrize("name", ["causal_kernels", "causal_matmul"])
def test_stock_classes_give_the_logits_of_training_and_nothing_of_it_is_saved(
    tmp_path, monkeypatch, architecture, name
):
    monkeypatch.setattr(attention, "LONGEST_FOR_MATMUL", 512 if name == "causal_matmul" else 0)
    model = make_tiny(architecture=architecture, layers=4, context=32).eval()
    assert model.config._attn_implementation == name
    for weight in blocks_of(model).parameters():
        weight.data.mul_(5)  # so that it matters which token sees which
    model.save_pretrained(tmp_path)
    assert "causal" not in (tmp_path / "config.json").read_text()
    stock = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    ids_BT = draw_ids(3, 32)
    found = []

    def keep(hidden_BTC, head_VC, _bias_V, targets_BT):
        found.append(hidden_BTC @ head_VC.T)
        return hidden_BTC.sum()

    monkeypatch.setattr(losses, "sum_cross_entropies", keep)
    with torch.no_grad():
        TokenLosses(model)(ids_BT)
        expected = stock(ids_BT[:, :-1]).logits
    torch.testing.assert_close(found[0], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("architecture", MODEL_TYPES)
def test_sampling_while_training_gives_stock_logits(tmp_path, architecture):
    model = make_tiny(architecture=architecture, context=32).eval()
    model.save_pretrained(tmp_path)
    stock = auto_class_of(model.config).from_pretrained(tmp_path).eval()
    ids_BT = draw_ids(1, 20)
    with torch.no_grad():
        ones_BT = torch.ones_like(ids_BT)
        ours = model(ids_BT, attention_mask=ones_BT, **cache_of(model)).logits
        torch.testing.assert_close(ours, stock(ids_BT).logits, atol=1e-5, rtol=0)


def test_matrix_products_are_for_short_sequences_on_a_cpu():
    assert quickest("cpu", 512) == "causal_matmul"
    assert quickest("cpu", 513) == quickest("cuda", 256) == "causal_kernels"


def test_attention_in_matrix_products_is_causal_attention():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 13, 16, requires_grad=True).unbind()
    module = torch.nn.Identity()
    ours, _ = causal_matmul(module, query, key, value, None, scaling=0.25)
    reference, _ = causal_kernels(module, query, key, value, None, scaling=0.25)
    torch.testing.assert_close(ours, reference)


def test_a_window_is_a_token_and_those_just_before_it():
    mask_11TT = dense_mask(within_window(3), 1, 5, CPU, torch.bfloat16)
    assert mask_11TT.dtype == torch.bfloat16
    seen = [[key for key in range(5) if row[key] == 0] for row in mask_11TT[0, 0]]
    assert seen == [[0], [0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4]]


@pytest.fixture
def flex_on_a_cpu(monkeypatch):
    """FlexAttention by torch's reference formulas, which have a backward pass; its kernel for CPUs
    has none, so that torch refuses gradients there."""
    monkeypatch.setattr(flex_attention, "_validate_device", lambda *_: None)
    reference = torch.compile(flex_attention.flex_attention, backend="aot_eager", dynamic=False)
    monkeypatch.setattr(attention, "compiled_flex_attention", lambda: reference)
    torch._dynamo.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # the compiler warns of itself
        yield
    torch._dynamo.reset()


@pytest.mark.parametrize("rule", ["documents", "window"])
def test_a_mask_in_blocks_sees_what_the_dense_one_sees(flex_on_a_cpu, rule):
    torch.manual_seed(0)
    B, H, T, D = 2, 3, 200, 16
    query, key, value = torch.randn(3, B, H, T, D).unbind()
    starts_BT = torch.rand(B, T) < 0.05
    begun_BT = torch.where(starts_BT, torch.arange(T), 0).cummax(1).values
    sees, rows = (within_documents(begun_BT), B) if rule == "documents" else (within_window(50), 1)
    blocks = mask_in_blocks(sees, rows, T, CPU)
    dense = dense_mask(sees, rows, T, CPU, torch.float32)
    module = torch.nn.Identity()
    ours, _ = causal_kernels(module, query, key, value, blocks, scaling=0.25)
    reference, _ = causal_kernels(module, query, key, value, dense, scaling=0.25)
    torch.testing.assert_close(ours, reference)


@pytest.mark.parametrize("architecture, checkpointing", [("gpt2", True), ("gpt3", False)])
def test_masks_in_blocks_train_as_dense_ones_do_in_blocks_compiled_once(
    flex_on_a_cpu, monkeypatch, architecture, checkpointing
):
    """More layers than torch compiles variants before it goes on eagerly, and two batches."""
    monkeypatch.setattr(attention, "LONGEST_FOR_MATMUL", 0)
    documents = architecture == "gpt2"
    model = make_tiny(
        architecture=architecture,
        layers=12,
        context=64,
        document_masking=documents,
        gradient_checkpointing=checkpointing,
    ).train()
    module = TokenLosses(model, document_masking=documents)
    batches = draw_ids(4, 65).split(2)

    def losses_and_gradients():
        found = []
        for ids_BT in batches:
            model.zero_grad()
            loss = module(ids_BT)
            loss.backward()
            found += [loss.detach(), *(weight.grad for weight in model.parameters())]
        return found

    attention.make_window_mask.cache_clear()
    dense = losses_and_gradients()
    for block in blocks_of(model):
        block.compile(backend="aot_eager", dynamic=False)
    for where in (attention, losses):
        monkeypatch.setattr(
            where,
            "make_mask",
            lambda sees, rows, length, device, _dtype: mask_in_blocks(sees, rows, length, device),
        )
    attention.make_window_mask.cache_clear()
    torch._dynamo.utils.counters.clear()
    in_blocks = losses_and_gradients()
    attention.make_window_mask.cache_clear()
    torch.testing.assert_close(in_blocks, dense, atol=1e-4, rtol=1e-4)
    num_kinds = 1 if architecture == "gpt2" else 2
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == num_kinds
