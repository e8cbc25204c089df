"""The loop on a GPU: it learns, stops and resumes as on a CPU, and doesn't wait for its steps."""

import json
import signal
from pathlib import Path

import pytest
import torch

from corpora.errors import UserError
from pipeline.training.batches import TrainingBatches
from tests.pipeline.train_tiny import Fault, faulty_batches, make_trainer, poison, tiny

SETTINGS = tiny(
    layers=2,
    width=128,
    heads=2,
    context=128,
    steps=24,
    batch_size=8,
    micro_batch_size=4,
    warmup_steps=4,
    compile=True,
    log_every=8,
)
Weights = list[torch.Tensor]


def changed(**changes):
    return tiny(**SETTINGS.model_dump() | changes)


def train(tokens, folder, settings, device, precision, **more) -> Weights:
    run = make_trainer(tokens, folder, settings, device=device, precision=precision, **more)
    run.train()
    return [parameter.detach().cpu() for parameter in run.model.parameters()]


def metrics_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "logs/metrics.jsonl").read_text().splitlines()]


def losses_of(folder: Path) -> list[float]:
    return [line["loss"] for line in metrics_of(folder) if "tokens" in line]


def are_same(one: Weights, two: Weights) -> bool:
    return all(torch.equal(first, second) for first, second in zip(one, two))


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_it_learns_compiled_and_in_the_quickest_precision(
    tokens, tmp_path, device, precision, optimizer
):
    settings = changed(steps=80, optimizer=optimizer)
    train(tokens, tmp_path, settings, device, precision)
    assert losses_of(tmp_path)[-1] < 4.2  # 5.5 to begin with
    speeds = [line for line in metrics_of(tmp_path) if "tokens" in line]
    assert all(0 <= line["mfu"] < 1 for line in speeds if "mfu" in line)
    assert all(line["memory_mb"] > 0 for line in speeds)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_fp32_gives_nearly_the_losses_of_the_cpu(tokens, tmp_path, device, optimizer):
    """TF32 rounds what is multiplied to 10 bits."""
    settings = changed(optimizer=optimizer, compile=False, log_every=1)
    train(tokens, tmp_path / "there", settings, device, "fp32")
    train(tokens, tmp_path / "cpu", settings, "cpu", "fp32")
    there = losses_of(tmp_path / "there")
    cpu = losses_of(tmp_path / "cpu")
    assert there[0] == pytest.approx(cpu[0], abs=2e-3)
    assert there == pytest.approx(cpu, abs=0.1)


@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize("masking", [True, False])
def test_a_stopped_run_resumes_bit_for_bit(
    tokens, tmp_path, device, precision, is_compiled, masking
):
    settings = changed(compile=is_compiled, document_masking=masking)
    straight = train(tokens, tmp_path / "straight", settings, device, precision)
    stop = faulty_batches(Fault(rank=0, step=13, signal=signal.SIGTERM), tmp_path / "mark")
    folder = tmp_path / "stopped"
    with pytest.raises(SystemExit, match="SIGTERM after step 14"):
        train(tokens, folder, settings, device, precision, batches_class=stop)
    assert are_same(straight, train(tokens, folder, settings, device, precision))


def test_gradient_accumulation_gives_the_step_of_the_whole_batch(tokens, tmp_path, device):
    """AdamW's first step has the gradients' signs, which rounding may turn where they're near 0."""
    step = {"steps": 1, "warmup_steps": 0, "validations": 1, "compile": False}
    at_once, in_parts = (
        train(tokens, tmp_path / str(rows), changed(micro_batch_size=rows, **step), device, "fp32")
        for rows in (8, 1)
    )
    differences = [(one - two).abs().mean() for one, two in zip(at_once, in_parts)]
    assert max(differences) < 1e-3


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_a_loss_that_is_not_finite_leaves_the_state_before_it(
    tokens, tmp_path, device, precision, optimizer
):
    settings = changed(optimizer=optimizer)
    straight = train(tokens, tmp_path / "straight", settings, device, precision)
    batches = faulty_batches(Fault(rank=0, step=10, signal=None), tmp_path / "mark")
    folder = tmp_path / "poisoned"
    run = make_trainer(
        tokens,
        folder,
        settings,
        batches_class=batches,
        device=device,
        precision=precision,
    )
    poison(run)
    with pytest.raises(UserError, match=r"step 11 is nan.* after step 10 is kept"):
        run.train()
    assert are_same(straight, train(tokens, folder, settings, device, precision))


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_no_step_waits_for_the_gpu(tokens, tmp_path, device, precision, optimizer):
    if device != "cuda":
        pytest.skip("torch reports waiting only for CUDA: this was NOT tested")

    class WatchedBatches(TrainingBatches):
        def batch(self, step: int, rank: int = 0, world: int = 1) -> torch.Tensor:
            # The first step makes the optimizers' states; the last one's figures are read.
            is_watched = 0 < step < settings.steps - 1
            torch.cuda.set_sync_debug_mode("error" if is_watched else "default")
            return super().batch(step, rank, world)

    settings = changed(steps=6, log_every=100, validations=1, compile=False, optimizer=optimizer)
    try:
        train(tokens, tmp_path, settings, device, precision, batches_class=WatchedBatches)
    finally:
        torch.cuda.set_sync_debug_mode("default")
