"""AdamW and the learning-rate schedule, for pretraining and fine-tuning alike: both count steps, never seconds."""
import torch


def make_optimizer(model: torch.nn.Module, learning_rate: float, weight_decay: float,
                   beta2: float = 0.999) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter, 2019) with weight decay on matrices only, as GPT-3 and nanoGPT have it."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
              {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, beta2), fused=parameters[0].device.type != "mps")


def learning_rate_factor(step: int, num_steps: int, num_warmup: int) -> float:
    """Share of the peak rate: linear warm-up, then linear decay to zero over the other steps (Bergsma et al., 2025)."""
    warmup = min(1.0, (step + 1) / max(1, num_warmup))
    decay = (num_steps - step) / max(1, num_steps - num_warmup)
    return min(warmup, decay)
