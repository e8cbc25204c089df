"""Attention in matrix products is the attention that transformers has."""

import torch

from pipeline.models.attention import causal_matmul, causal_sdpa


def test_attention_in_matrix_products_is_causal_attention():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 13, 16, requires_grad=True).unbind()
    module = torch.nn.Identity()
    ours, _ = causal_matmul(module, query, key, value, None, scaling=0.25)
    reference, _ = causal_sdpa(module, query, key, value, None, scaling=0.25)
    torch.testing.assert_close(ours, reference)
