"""AdamW over the model's parameters, and the learning-rate schedule: both count steps, never seconds."""
import torch


def make_optimizer(model: torch.nn.Module, settings) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter, 2019) with weight decay on matrices only, as GPT-3 and nanoGPT have it."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": settings.weight_decay},
              {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, settings.beta2), eps=1e-8, fused=True)


def learning_rate(step: int, settings) -> float:
    """Linear warm-up, then linear decay to zero over the rest of the steps (Bergsma et al., 2025)."""
    warmup = min(1.0, (step + 1) / max(1, settings.warmup_steps))
    decay = (settings.steps - step) / max(1, settings.steps - settings.warmup_steps)
    return settings.learning_rate * min(warmup, decay)
