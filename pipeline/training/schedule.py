"""What happens at which step: the learning rate, for pretraining and fine-tuning alike, the
validations, and the models kept on the way. Steps are counted, never seconds, so that a resumed run
goes on as an undisturbed one."""

from pipeline.settings import PretrainSettings


def learning_rate_factor(step: int, num_steps: int, num_warmup: int) -> float:
    """Share of the peak rate at a step, from 0: linear warm-up, then linear decay to zero over the
    other steps (Bergsma et al., 2025)."""
    warmup = (step + 1) / max(1, num_warmup)
    decay = (num_steps - step) / max(1, num_steps - num_warmup)
    return min(1.0, warmup, decay)


def sequence_length(step: int, settings: PretrainSettings) -> int:
    """Tokens a sequence at a step, from 0."""
    return settings.context // 4 if step < settings.short_steps else settings.context


def validation_steps(num_validations: int, num_steps: int) -> set[int]:
    """The steps after which the validation text is scored, at equal distances up to the last
    one."""
    return {round(num_steps * part / num_validations) for part in range(1, num_validations + 1)}


def snapshot_steps(num_snapshots: int, num_steps: int) -> set[int]:
    """The steps after which the model is kept: each at a third of the next one's, and the last of
    them at a third of all steps, as scores go with the logarithm of the steps."""
    steps = {round(num_steps / 3**power) for power in range(1, num_snapshots + 1)}
    return steps - {0}
