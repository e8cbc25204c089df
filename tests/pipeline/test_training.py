"""The loop: it learns, resumes bit for bit, stops in time, and agrees with stock transformers."""
import itertools
import json
import math
import os
import signal
from dataclasses import replace

import pytest
import torch
from pipeline.training.optimizer import learning_rate_factor, make_optimizers
from transformers import GPT2LMHeadModel
from transformers.models.gpt2.modeling_gpt2 import GPT2MLP

from corpora.errors import UserError
from pipeline.models.gpt import TokenLosses, make_model
from pipeline.settings import SECTIONS
from pipeline.training import loop
from pipeline.training.batches import TokenStream, TrainingBatches
from pipeline.training.checkpoint import find_checkpoints, last_whole, load_checkpoint, step_of
from tests.pipeline.tiny_tokens import END, VOCABULARY, write_tokens

SETTINGS = SECTIONS["pretrain"](layers=2, width=32, heads=2, context=16, steps=24, batch_size=4, micro_batch_size=2,
                            learning_rate=5e-3, warmup_steps=4, compile=False, validations=2, log_every=1)


@pytest.fixture
def tokens(tmp_path):
    return write_tokens(tmp_path / "tokens", {"train": [2000, 700], "validation": [300]})


def train(tokens, folder, settings=SETTINGS, on_validation=lambda step: None):
    model = make_model(settings, VOCABULARY, END, 0)
    batches = TrainingBatches(TokenStream(tokens, "train"), settings.context, settings.batch_size, settings.seed)
    figures = loop.train(model, batches, TokenStream(tokens, "validation"), settings, "cpu", "fp32", folder, on_validation)
    return model, figures


def weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_it_learns_and_counts_bits_per_byte(tokens, tmp_path):
    _model, figures = train(tokens, tmp_path / "run", replace(SETTINGS, steps=80))
    lines = [json.loads(line) for line in (tmp_path / "run/logs/metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[0] > 5.3
    assert losses[-1] < 4.2
    nats = figures["validation_loss"] * figures["validation_tokens"]
    assert figures["bits_per_byte"] == pytest.approx(nats / math.log(2) / 900)
    assert figures["tokens"] == 80 * 4 * 16


@pytest.mark.parametrize("stop_at", [2, 13, 23])
def test_a_stopped_run_resumes_bit_for_bit(tokens, tmp_path, monkeypatch, stop_at):
    straight, _ = train(tokens, tmp_path / "straight")
    steps = []

    def rate_then_signal(step, *others):
        steps.append(step)
        if step + 2 == stop_at and steps.count(step) == 1:  # noticed with the next step
            os.kill(os.getpid(), signal.SIGTERM)
        return learning_rate_factor(step, *others)
    monkeypatch.setattr(loop, "learning_rate_factor", rate_then_signal)
    with pytest.raises(SystemExit, match=f"SIGTERM after step {stop_at};"):
        train(tokens, tmp_path / "stopped")
    resumed, figures = train(tokens, tmp_path / "stopped")
    assert steps == list(range(24))
    assert figures["resumes"] == 1
    assert same(weights(straight), weights(resumed))
    for name in ("straight", "stopped"):
        lines = (tmp_path / name / "logs/metrics.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines if "learning_rate" in line] == list(range(1, 25))


def test_a_checkpoint_of_the_last_step_is_enough(tokens, tmp_path, monkeypatch):
    _, straight = train(tokens, tmp_path / "run", replace(SETTINGS, checkpoint_minutes=0))
    assert last_whole(tmp_path / "run/scratch/checkpoints")
    monkeypatch.setattr(loop, "learning_rate_factor", lambda *_: pytest.fail("stepped again"))
    _, again = train(tokens, tmp_path / "run")
    assert again["bits_per_byte"] == straight["bits_per_byte"]


def test_a_non_finite_loss_stops_before_the_step_and_keeps_the_last_good_state(tokens, tmp_path, monkeypatch):
    good = {}

    class Poisoned(TokenLosses):
        def forward(self, ids_BT):
            value = super().forward(ids_BT)
            if len(good) == 6:
                return value * float("nan")
            good[len(good)] = True
            return value
    monkeypatch.setattr(loop, "TokenLosses", Poisoned)
    with pytest.raises(UserError, match=r"step 4 is nan"):
        train(tokens, tmp_path / "run")
    monkeypatch.undo()
    model = make_model(SETTINGS, VOCABULARY, END, 0)
    path = last_whole(tmp_path / "run/scratch/checkpoints")
    progress = load_checkpoint(path, model, make_optimizers(model, SETTINGS))
    assert progress["step"] == 3
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    straight, _ = train(tokens, tmp_path / "straight")
    resumed, _ = train(tokens, tmp_path / "run")
    assert same(weights(straight), weights(resumed))


def test_a_first_step_that_is_not_finite_ends_in_the_same_message_with_nothing_kept(tokens, tmp_path, monkeypatch):
    monkeypatch.setattr(TokenLosses, "forward", lambda self, ids_BT: self.model.lm_head.weight.sum() * float("nan"))
    with pytest.raises(UserError, match=r"step 1 is nan, the gradient's norm nan\. A lower pretrain\.learning_rate"):
        train(tokens, tmp_path / "run")
    assert last_whole(tmp_path / "run/scratch/checkpoints") is None


def test_gradient_accumulation_gives_the_gradient_of_the_whole_batch(tokens, tmp_path):
    whole, _ = train(tokens, tmp_path / "whole", replace(SETTINGS, steps=1, micro_batch_size=4, warmup_steps=0))
    parts, _ = train(tokens, tmp_path / "parts", replace(SETTINGS, steps=1, micro_batch_size=1, warmup_steps=0))
    for name, value in weights(whole).items():
        torch.testing.assert_close(value, weights(parts)[name], atol=2e-4, rtol=0)


@pytest.mark.parametrize("attention", ["causal_sdpa", "causal_matmul"])
def test_maskless_attention_gives_stock_logits_and_is_not_saved(tmp_path, attention):
    model = make_model(SETTINGS, VOCABULARY, END, 0).eval()
    model.set_attn_implementation(attention)
    ids_BT = torch.randint(10, 60, (3, 16), generator=torch.Generator().manual_seed(0))
    model.save_pretrained(tmp_path)
    assert attention not in (tmp_path / "config.json").read_text()
    stock = GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        torch.testing.assert_close(model(ids_BT, use_cache=False).logits, stock(ids_BT).logits, atol=1e-6, rtol=0)


def test_the_learning_rate_warms_up_and_ends_near_zero():
    rates = [learning_rate_factor(step, 24, 4) for step in range(24)]
    assert rates[:4] == pytest.approx([.25, .5, .75, 1])
    assert all(before >= after for before, after in itertools.pairwise(rates[4:]))
    assert 0 < rates[-1] <= 1 / 20


def test_gradient_checkpointing_computes_the_blocks_twice_and_changes_nothing(tokens, tmp_path, monkeypatch):
    counts = []
    for wanted in (False, True):
        calls = []
        monkeypatch.setattr(GPT2MLP, "forward", lambda self, hidden, run=GPT2MLP.forward, calls=calls: (calls.append(1), run(self, hidden))[1])
        model, _ = train(tokens, tmp_path / str(wanted), replace(SETTINGS, steps=1, warmup_steps=0, validations=1,
                                                                 gradient_checkpointing=wanted))
        monkeypatch.undo()
        counts.append((len(calls), weights(model)))
    (once, plain), (twice, recomputed) = counts
    assert twice == once + 2 * SETTINGS.layers  # of two micro-batches
    assert same(plain, recomputed)


def test_a_better_model_of_an_earlier_validation_is_kept_beside_the_last(tokens, tmp_path):
    best = []

    def spoil(step):
        if step == 12:
            best.append(weights(model))
            for parameter in model.parameters():
                parameter.data.mul_(3)
    settings = replace(SETTINGS, keep_checkpoints=1, checkpoint_minutes=0)
    model = make_model(settings, VOCABULARY, END, 0)
    batches = TrainingBatches(TokenStream(tokens, "train"), settings.context, settings.batch_size, settings.seed)
    figures = loop.train(model, batches, TokenStream(tokens, "validation"), settings, "cpu", "fp32", tmp_path, spoil)
    assert figures["best_step"] == 12
    assert figures["best_bits_per_byte"] < figures["bits_per_byte"]
    assert [step_of(path) for path in find_checkpoints(tmp_path / "scratch/checkpoints")] == [24, 12]
