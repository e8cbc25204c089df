"""That attention takes the flash kernel, which takes no mask."""

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from pipeline.models.gpt import make_model
from pipeline.models.losses import TokenLosses
from pipeline.presets import load_preset
from tests.pipeline.tiny_tokens import END, PAD


def test_gpt2_trains_where_only_the_flash_kernel_is_allowed(device):
    """torch raises for a mask, or for what the kernel can't do otherwise."""
    settings = load_preset("small", {"pretrain.layers": "2", "pretrain.compile": "false"}).pretrain
    model = make_model(settings, 1024, END, PAD, device)
    losses = TokenLosses(model).to(device).train()
    ids_BT = torch.randint(10, 1024, (2, settings.context + 1), device=device)
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION), torch.autocast(device, torch.bfloat16):
        losses(ids_BT).backward()
    weight = model.get_parameter("transformer.h.0.attn.c_attn.weight")
    assert weight.grad is not None
    assert weight.grad.isfinite().all()
