"""Attention without a mask tensor: stock logits, and nothing of it in the saved folder."""

import pytest
import torch
from transformers import GPT2LMHeadModel

from pipeline.models.attention import causal_matmul, causal_sdpa, quickest
from tests.pipeline.train_tiny import make_tiny


@pytest.mark.parametrize("attention", ["causal_sdpa", "causal_matmul"])
def test_maskless_attention_gives_stock_logits_and_is_not_saved(tmp_path, attention):
    model = make_tiny().eval()
    model.set_attn_implementation(attention)
    ids_BT = torch.randint(10, 60, (3, 16), generator=torch.Generator().manual_seed(0))
    model.save_pretrained(tmp_path)
    assert attention not in (tmp_path / "config.json").read_text()
    stock = GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        logits_BTV = model(ids_BT, use_cache=False).logits
        torch.testing.assert_close(logits_BTV, stock(ids_BT).logits, atol=1e-6, rtol=0)


def test_matrix_products_are_for_short_sequences_on_a_cpu():
    assert quickest("cpu", 512) == "causal_matmul"
    assert quickest("cpu", 513) == quickest("cuda", 256) == "causal_sdpa"


def test_attention_in_matrix_products_is_causal_attention():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 13, 16, requires_grad=True).unbind()
    module = torch.nn.Identity()
    ours, _ = causal_matmul(module, query, key, value, None, scaling=0.25)
    reference, _ = causal_sdpa(module, query, key, value, None, scaling=0.25)
    torch.testing.assert_close(ours, reference)
