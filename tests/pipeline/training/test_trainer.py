"""The loop: it learns, resumes bit for bit, stops in time, and keeps the best."""

import json
import math
import os
import signal
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from safetensors import safe_open
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import PreTrainedModel
from transformers.models.gpt2.modeling_gpt2 import GPT2MLP

from corpora.errors import UserError
from pipeline.models.cost import flops_per_token
from pipeline.models.losses import TokenLosses
from pipeline.training import trainer
from pipeline.training.batches import TrainingBatches
from pipeline.training.checkpoint import (
    find_checkpoints,
    last_undamaged,
    load_checkpoint,
    step_of,
)
from pipeline.training.optimizers import make_optimizers
from pipeline.training.schedule import learning_rate_factor
from pipeline.training.tracking import read_metrics
from tests.pipeline.train_tiny import make_tiny, make_trainer, tiny

SETTINGS = tiny(steps=24, micro_batch_size=2, warmup_steps=4)
Weights = dict[str, torch.Tensor]


def changed(**changes):
    return tiny(**SETTINGS.model_dump() | changes)


def train(tokens, folder, settings=SETTINGS, **more) -> tuple[Weights, dict]:
    run = make_trainer(tokens, folder, settings, **more)
    figures = run.train()
    return weights_of(run.model), figures


def weights_of(model: PreTrainedModel) -> Weights:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def are_same(one: Weights, two: Weights) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def metrics_of(folder: Path) -> list[dict]:
    lines = (folder / "logs/metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def straight(tokens, tmp_path_factory) -> tuple[Weights, list[dict]]:
    """Weights and metrics of an undisturbed run."""
    folder = tmp_path_factory.mktemp("straight")
    weights, _ = train(tokens, folder)
    return weights, metrics_of(folder)


def test_it_learns_and_counts_bits_per_byte(tokens, tmp_path):
    _, figures = train(tokens, tmp_path, changed(steps=80))
    losses = [line["loss"] for line in metrics_of(tmp_path) if "loss" in line]
    assert losses[0] > 5.3
    assert losses[-1] < 4.2
    nats = figures["validation_loss"] * figures["validation_tokens"]
    assert figures["bits_per_byte"] == pytest.approx(nats / math.log(2) / 900)
    assert figures["tokens"] == 80 * 4 * 16


@pytest.mark.parametrize("stop_at", [2, 13, 23])
def test_a_stopped_run_resumes_bit_for_bit(tokens, straight, tmp_path, monkeypatch, stop_at):
    steps = []

    def rate_then_signal(step, *others):
        steps.append(step)
        if step + 2 == stop_at and steps.count(step) == 1:  # noticed with the next step
            os.kill(os.getpid(), signal.SIGTERM)
        return learning_rate_factor(step, *others)

    monkeypatch.setattr(trainer, "learning_rate_factor", rate_then_signal)
    with pytest.raises(SystemExit, match=f"SIGTERM after step {stop_at};"):
        train(tokens, tmp_path)
    resumed, figures = train(tokens, tmp_path)
    assert steps == list(range(24))
    assert figures["resumes"] == 1
    undisturbed, metrics = straight
    assert are_same(undisturbed, resumed)
    for lines in (metrics, metrics_of(tmp_path)):
        logged = [line["step"] for line in lines if "learning_rate" in line]
        assert logged == list(range(1, 25))


def test_a_checkpoint_of_the_last_step_is_enough(tokens, tmp_path, monkeypatch):
    _, straight = train(tokens, tmp_path, changed(checkpoint_minutes=0))
    assert last_undamaged(tmp_path / "scratch/checkpoints")
    monkeypatch.setattr(trainer, "learning_rate_factor", lambda *_: pytest.fail("stepped again"))
    _, again = train(tokens, tmp_path)
    assert again["bits_per_byte"] == straight["bits_per_byte"]


def test_a_checkpoint_says_how_far_the_run_has_come_under_these_names(tokens, tmp_path):
    """What was written by earlier versions of this project goes on, and the other way round."""
    train(tokens, tmp_path, changed(steps=6, checkpoint_minutes=0))
    path = last_undamaged(tmp_path / "scratch/checkpoints")
    assert path
    with safe_open(path, framework="pt") as file:
        progress = json.loads(file.metadata()["progress"])
        kinds = {name.split(".")[0] for name in file.keys()}  # noqa: SIM118 - it's no mapping
    assert list(progress) == ["step", "seconds", "resumes", "best_step", "best"]
    assert kinds == {"model", "momentum", "neuron_squares", "exp_avg", "exp_avg_sq"}


def test_a_non_finite_loss_stops_before_the_step_and_keeps_the_last_good_state(
    tokens, straight, tmp_path, monkeypatch
):
    good = []

    class Poisoned(TokenLosses):
        def forward(self, ids_BT, masked=False):
            value = super().forward(ids_BT)
            if len(good) == 6:
                return value * float("nan")
            good.append(value)
            return value

    monkeypatch.setattr(trainer, "TokenLosses", Poisoned)
    with pytest.raises(UserError, match=r"step 4 is nan"):
        train(tokens, tmp_path)
    monkeypatch.undo()
    model = make_tiny()
    path = last_undamaged(tmp_path / "scratch/checkpoints")
    assert path
    progress = load_checkpoint(path, model, make_optimizers(model, SETTINGS))
    assert progress.step == 3
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    resumed, _ = train(tokens, tmp_path)
    assert are_same(straight[0], resumed)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_a_non_finite_loss_between_two_lines_of_metrics_is_told_by_its_step_and_changes_nothing(
    tokens, tmp_path, monkeypatch, optimizer
):
    """It's seen only with the next line; the finite steps in between have no effect either."""
    num_passes = 0

    class PoisonedOnce(TokenLosses):
        def forward(self, ids_BT, masked=False):
            nonlocal num_passes
            num_passes += 1
            return super().forward(ids_BT) * (math.inf if num_passes == 7 else 1)

    settings = changed(log_every=10, optimizer=optimizer)
    undisturbed, _ = train(tokens, tmp_path / "undisturbed", settings)
    monkeypatch.setattr(trainer, "TokenLosses", PoisonedOnce)
    with pytest.raises(UserError, match=r"step 4 is inf.* after step 3 is kept"):
        train(tokens, tmp_path, settings)
    assert num_passes == 2 * 10
    assert [line["step"] for line in metrics_of(tmp_path)] == [4]
    monkeypatch.undo()
    resumed, figures = train(tokens, tmp_path, settings)
    assert figures["resumes"] == 1
    assert are_same(undisturbed, resumed)


@pytest.mark.parametrize("architecture", ["gpt", "gpt2", "gpt3"])
def test_no_step_waits_for_a_value_of_its_own(tokens, tmp_path, architecture):
    """Reading one would let a GPU stand idle until the next step has been sent to it."""

    class Reads(TorchDispatchMode):
        at_steps: ClassVar = set()

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func is torch.ops.aten._local_scalar_dense.default:
                self.at_steps.add(self.step)
            return func(*args, **kwargs or {})

    class CountingBatches(TrainingBatches):
        def batch(self, step, *others):
            reads.step = step + 1
            return super().batch(step, *others)

    settings = changed(log_every=100, architecture=architecture)
    run = make_trainer(tokens, tmp_path, settings, batches_class=CountingBatches)
    with Reads() as reads:
        run.train()
    assert reads.at_steps == {12, 24}  # of the validations


def test_a_first_step_that_is_not_finite_ends_in_the_same_message_with_nothing_kept(
    tokens, tmp_path, monkeypatch
):
    def forward(self, ids_BT, masked=False):
        return sum(each.sum() for each in self.parameters()) * float("nan")

    monkeypatch.setattr(TokenLosses, "forward", forward)
    said = r"step 1 is nan, the gradient's norm nan\. A lower pretrain\.learning_rate"
    with pytest.raises(UserError, match=said):
        train(tokens, tmp_path)
    assert last_undamaged(tmp_path / "scratch/checkpoints") is None


def test_gradient_accumulation_gives_the_gradient_of_the_whole_batch(tokens, tmp_path):
    one_step = {"steps": 1, "warmup_steps": 0}
    at_once, _ = train(tokens, tmp_path / "one", changed(micro_batch_size=4, **one_step))
    in_parts, _ = train(tokens, tmp_path / "parts", changed(micro_batch_size=1, **one_step))
    for name, value in at_once.items():
        torch.testing.assert_close(value, in_parts[name], atol=2e-4, rtol=0)


def test_a_clip_of_zero_leaves_the_gradients_as_they_are(tokens, tmp_path):
    """A limit of 0 would take all of them."""
    step = {"steps": 1, "warmup_steps": 0, "optimizer": "adamw"}
    wide, _ = train(tokens, tmp_path / "wide", changed(clip=1e6, **step))
    off, _ = train(tokens, tmp_path / "off", changed(clip=0.0, **step))
    assert are_same(wide, off)
    assert not are_same(wide, weights_of(make_tiny()))


def test_gradient_checkpointing_computes_the_blocks_twice_and_changes_nothing(
    tokens, tmp_path, monkeypatch
):
    stock_forward = GPT2MLP.forward
    num_calls = 0

    def counting_forward(self, hidden):
        nonlocal num_calls
        num_calls += 1
        return stock_forward(self, hidden)

    monkeypatch.setattr(GPT2MLP, "forward", counting_forward)
    step = {"steps": 1, "warmup_steps": 0, "validations": 1}
    plain, _ = train(tokens, tmp_path / "plain", changed(**step))
    num_plain_calls = num_calls
    num_calls = 0
    checkpointed = changed(gradient_checkpointing=True, **step)
    recomputed, _ = train(tokens, tmp_path / "recomputed", checkpointed)
    assert num_calls == num_plain_calls + 2 * SETTINGS.layers  # of two micro-batches
    assert are_same(plain, recomputed)


def test_a_better_model_of_an_earlier_validation_is_kept_beside_the_last(tokens, tmp_path):
    def spoil(step):
        if step == 12:
            for parameter in run.model.parameters():
                parameter.data.mul_(10)

    settings = changed(keep_checkpoints=1, checkpoint_minutes=0)
    run = make_trainer(tokens, tmp_path, settings, on_validation=spoil)
    figures = run.train()
    assert figures["best_step"] == 12
    assert figures["best_bits_per_byte"] < figures["bits_per_byte"]
    kept = find_checkpoints(tmp_path / "scratch/checkpoints")
    assert [step_of(path) for path in kept] == [24, 12]


def test_mfu_is_of_the_length_that_is_trained(tokens, tmp_path, monkeypatch):
    """A step of short sequences has less to compute."""
    peak = 1e6  # slow enough that four digits say all
    monkeypatch.setattr(trainer, "peak_flops", lambda device: peak)
    running = make_trainer(tokens, tmp_path, tiny(steps=4, warmup_steps=1, short_steps=2))
    running.train()
    found = [
        line["mfu"] * peak / line["tokens_per_second"]
        for line in read_metrics(tmp_path / "logs/metrics.jsonl")
        if "mfu" in line
    ]
    short, full = (flops_per_token(running.model, length) for length in (4, 16))
    assert short < full
    assert found == pytest.approx([short, short, full, full], rel=1e-3)


def test_where_the_peak_isnt_known_no_mfu_is_said(tokens, tmp_path):
    make_trainer(tokens, tmp_path, tiny(steps=3)).train()
    assert not any("mfu" in line for line in read_metrics(tmp_path / "logs/metrics.jsonl"))
