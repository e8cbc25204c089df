"""What happens at which step: the learning rate, for pretraining and fine-tuning alike, and the
validations. Steps are counted, never seconds, so that a resumed run goes on as an undisturbed
one."""


def learning_rate_factor(step: int, num_steps: int, num_warmup: int) -> float:
    """Share of the peak rate at a step, from 0: linear warm-up, then linear decay to zero over the
    other steps (Bergsma et al., 2025)."""
    warmup = (step + 1) / max(1, num_warmup)
    decay = (num_steps - step) / max(1, num_steps - num_warmup)
    return min(1.0, warmup, decay)


def validation_steps(num_validations: int, num_steps: int) -> set[int]:
    """The steps after which the validation text is scored, at equal distances up to the last
    one."""
    return {round(num_steps * part / num_validations) for part in range(1, num_validations + 1)}
