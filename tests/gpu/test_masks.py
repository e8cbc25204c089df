"""Masks in blocks, which only a GPU trains with, beside the dense ones of the CPU: the same losses
and gradients."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from pipeline.models import attention, losses
from pipeline.models.attention import dense_mask
from pipeline.models.gpt import make_model
from pipeline.models.losses import TokenLosses
from tests.pipeline.tiny_tokens import END, PAD
from tests.pipeline.train_tiny import tiny

VOCABULARY = 1024
# Of a gradient's norm; of bf16's eight bits a difference is the order in which scores are summed.
TOLERANCES = {torch.float32: 1e-4, torch.bfloat16: 4e-2}


@pytest.fixture(autouse=True)
def needs_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no GPU here: masks in blocks were NOT tested")
    torch._dynamo.reset()
    attention.make_window_mask.cache_clear()
    yield
    attention.make_window_mask.cache_clear()


def draw_ids(rows, length):
    ids_BT = torch.randint(10, VOCABULARY, (rows, length + 1))
    ids_BT[torch.rand(ids_BT.shape) < 0.02] = END
    return ids_BT.to("cuda")


def loss_and_gradients(settings, ids_BT, dtype):
    model = make_model(settings, VOCABULARY, END, PAD, "cuda")
    module = TokenLosses(model, settings.compile, settings.document_masking).to("cuda").train()
    with torch.autocast("cuda", torch.bfloat16, enabled=dtype == torch.bfloat16):
        loss = module(ids_BT)
    loss.backward()
    return loss.detach(), {name: weight.grad for name, weight in model.named_parameters()}


@pytest.mark.parametrize("length", [64, 200, 1024])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("architecture", ["gpt2", "gpt3"])
def test_masks_in_blocks_train_as_dense_ones_do(monkeypatch, architecture, dtype, compiled, length):
    settings = tiny(
        architecture=architecture,
        layers=2,
        width=128,
        context=length,
        compile=compiled,
        document_masking=architecture == "gpt2",
    )
    torch.manual_seed(0)
    ids_BT = draw_ids(3, length)
    loss, gradients = loss_and_gradients(settings, ids_BT, dtype)
    for where in (attention, losses):
        monkeypatch.setattr(where, "make_mask", dense_mask)
    attention.make_window_mask.cache_clear()
    torch._dynamo.reset()
    expected_loss, expected = loss_and_gradients(settings, ids_BT, dtype)
    tolerance = TOLERANCES[dtype]
    torch.testing.assert_close(loss, expected_loss, rtol=tolerance, atol=0)
    for name, gradient in gradients.items():
        error = (gradient - expected[name]).norm() / expected[name].norm()
        assert error < tolerance, name


def test_the_same_step_gives_the_same_bits(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    settings = tiny(width=128, context=1024, compile=True, document_masking=True)
    try:
        ids_BT = draw_ids(3, 1024)
        loss, gradients = loss_and_gradients(settings, ids_BT, torch.bfloat16)
        again, gradients_again = loss_and_gradients(settings, ids_BT, torch.bfloat16)
    finally:
        torch.use_deterministic_algorithms(False)
    assert torch.equal(loss, again)
    assert all(torch.equal(gradients[name], gradients_again[name]) for name in gradients)


def test_the_stock_gpt3_gives_the_loss_of_training(tmp_path):
    settings = tiny(architecture="gpt3", layers=4, width=128, context=256, compile=False)
    model = make_model(settings, VOCABULARY, END, PAD, "cuda").to("cuda").eval()
    model.save_pretrained(tmp_path)
    stock = AutoModelForCausalLM.from_pretrained(tmp_path).to("cuda").eval()
    ids_BT = draw_ids(2, 256)
    with torch.no_grad():
        found = TokenLosses(model)(ids_BT)
        logits_NV = stock(ids_BT[:, :-1]).logits.flatten(0, 1)
        targets_N = ids_BT[:, 1:].flatten()
        expected = torch.nn.functional.cross_entropy(logits_NV, targets_N, reduction="sum")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)
