"""What a model costs, by formula, and the advice when memory has run out."""

import pytest
import torch

from corpora.errors import UserError
from pipeline.models.cost import (
    MUON_VALUES,
    advising_what_fits,
    flops_per_token,
    mean_flops_per_token,
    memory_needed,
)
from pipeline.models.gpt import make_model
from pipeline.presets import load_preset
from pipeline.training.muon import VALUES_AT_ONCE
from tests.pipeline.tiny_tokens import VOCABULARY
from tests.pipeline.train_tiny import make_tiny, tiny


def test_flops_follow_the_formula_for_the_length_that_is_trained():
    model = make_tiny(layers=3, width=64, context=32)
    in_blocks = 3 * 12 * 64 * 64
    in_head = VOCABULARY * 64
    assert flops_per_token(model, 32) == 6 * (in_blocks + in_head) + 12 * 3 * 32 * 64
    assert flops_per_token(model, 8) == 6 * (in_blocks + in_head) + 12 * 3 * 8 * 64


def test_a_banded_layer_costs_its_window_and_no_more():
    dense = make_tiny(layers=3, width=64, context=32)
    banded = make_tiny(architecture="gpt3", layers=3, width=64, context=32)
    saved = 12 * (32 - 8) * 64  # one of three layers is banded
    assert flops_per_token(dense, 32) - flops_per_token(banded, 32) == saved
    assert flops_per_token(dense, 8) == flops_per_token(banded, 8)


def test_short_steps_are_reckoned_with():
    settings = tiny(context=32, steps=10, short_steps=4)
    model = make_tiny(context=32)
    mean = 0.4 * flops_per_token(model, 8) + 0.6 * flops_per_token(model, 32)
    assert mean_flops_per_token(model, settings) == pytest.approx(mean)


def test_fsdp_spreads_the_state_over_the_processes():
    model = make_tiny()
    changes = {"optimizer": "adamw"}
    held_by_each = memory_needed(model, tiny(parallel="ddp", **changes), 4, world=2)
    held_together = memory_needed(model, tiny(parallel="fsdp", **changes), 4, world=2)
    assert held_by_each["state"] == 16 * model.num_parameters() == 2 * held_together["state"]


def test_muon_has_one_moment_where_adamw_has_two_and_a_round_of_updates():
    model = make_tiny(layers=3, width=64)
    adamw = memory_needed(model, tiny(optimizer="adamw"), 4)
    muon = memory_needed(model, tiny(), 4)
    in_matrices = 3 * 12 * 64 * 64
    assert adamw["state"] - muon["state"] == 4 * in_matrices
    assert (adamw["updates"], muon["updates"]) == (0, 16 * in_matrices)


def test_a_round_of_updates_is_a_small_part_of_a_large_model():
    """All of Muon's updates of xl, in fp32, would be 5.9 GB."""
    settings = load_preset("xl", {"pretrain.parallel": "fsdp"}).pretrain
    with torch.device("meta"):
        model = make_model(settings, 65536, 3, 0)
    needed = memory_needed(model, settings, 4, world=8)
    assert needed["updates"] < 0.3e9
    assert needed["state"] == pytest.approx((16 * 1.5821e9 - 4 * 1.4746e9) / 8, rel=1e-3)


def test_a_rounds_size_is_what_muon_takes():
    assert MUON_VALUES == VALUES_AT_ONCE


def test_several_processes_need_room_for_what_they_share():
    model = make_tiny()
    assert memory_needed(model, tiny(), 4)["exchange"] == 0
    ddp = memory_needed(model, tiny(), 4, world=2)
    assert ddp["exchange"] == 4 * model.num_parameters()  # the buckets
    fsdp = memory_needed(model, tiny(parallel="fsdp"), 4, world=2)
    assert fsdp["exchange"] == 8 * model.num_parameters()  # both of its two blocks


def test_out_of_memory_names_a_batch_that_fits():
    model = make_tiny()
    settings = tiny(batch_size=16, micro_batch_size=16)
    memory = sum(memory_needed(model, settings, 5, 1).values()) / 0.9
    said = r"micro_batch_size=4.*should fit"
    with pytest.raises(UserError, match=said), advising_what_fits(model, settings, memory, 1):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_out_of_memory_says_what_helps_where_not_even_one_sequence_fits():
    said = "Not even one sequence"
    with (
        pytest.raises(UserError, match=said),
        advising_what_fits(make_tiny(), tiny(micro_batch_size=4), 1.0, 1),
    ):
        torch.empty(1 << 60)


def test_other_errors_pass():
    with (
        pytest.raises(RuntimeError, match="unrelated"),
        advising_what_fits(make_tiny(), tiny(), 1.0, 1),
    ):
        raise RuntimeError("unrelated")
