"""Checkpoints: whole or not there, the last ones and the best are kept, and a damaged one is passed over, loudly."""
import os
import resource
import signal

import pytest
import torch
from pipeline.training.optimizer import make_optimizers

from corpora.errors import UserError
from pipeline.models.gpt import make_model
from pipeline.settings import SECTIONS
from pipeline.training.checkpoint import (
    find_checkpoints,
    last_whole,
    load_checkpoint,
    save_checkpoint,
    step_of,
)
from tests.pipeline.tiny_tokens import END, VOCABULARY

SETTINGS = SECTIONS["pretrain"](layers=1, width=32, heads=2, context=16, compile=False)


@pytest.fixture
def state():
    """A model after one step, and its optimizers."""
    model = make_model(SETTINGS, VOCABULARY, END, 0)
    optimizers = make_optimizers(model, SETTINGS)
    model(torch.arange(10)[None], labels=torch.arange(10)[None]).loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    return model, optimizers


def save(folder, state, step, best_step=0, keep=2):
    save_checkpoint(folder, *state, {"step": step, "best_step": best_step}, keep)


def test_a_saved_state_comes_back_to_the_last_bit(tmp_path, state):
    save(tmp_path, state, 1)
    model = make_model(SETTINGS, VOCABULARY, END, 0)
    optimizers = make_optimizers(model, SETTINGS)
    assert load_checkpoint(last_whole(tmp_path), model, optimizers)["step"] == 1
    for one, two in zip(model.parameters(), state[0].parameters()):
        assert torch.equal(one, two)
    for one, two in zip(optimizers, state[1]):
        for parameters in zip(*(group["params"] for each in (one, two) for group in each.param_groups[:1])):
            first, second = (each.state[parameter] for each, parameter in zip((one, two), parameters))
            assert first.keys() == second.keys()
            assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_last_ones_and_the_best_are_kept(tmp_path, state):
    for step in (1, 2, 3, 4, 5):
        save(tmp_path, state, step, best_step=min(step, 2))
    assert [step_of(path) for path in find_checkpoints(tmp_path)] == [5, 4, 2]


def test_a_checkpoint_from_after_the_one_resumed_goes_with_the_next_save(tmp_path, state):
    save(tmp_path, state, 3)
    save(tmp_path, state, 9)
    save(tmp_path, state, 4)
    assert [step_of(path) for path in find_checkpoints(tmp_path)] == [4, 3]


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty"])
def test_a_damaged_checkpoint_is_passed_over_and_named(tmp_path, state, capsys, damage):
    save(tmp_path, state, 1)
    save(tmp_path, state, 2)
    path = find_checkpoints(tmp_path)[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"truncate": data[:len(data) // 2], "flip": data, "empty": b""}[damage])
    assert step_of(last_whole(tmp_path)) == 1
    assert f"{path} is damaged" in capsys.readouterr().out


def test_only_damaged_checkpoints_are_an_error_and_none_is_a_beginning(tmp_path, state):
    assert last_whole(tmp_path) is None
    save(tmp_path, state, 1)
    find_checkpoints(tmp_path)[0].write_bytes(b"not a checkpoint")
    with pytest.raises(UserError, match="no whole checkpoint is left"):
        last_whole(tmp_path)


def test_a_checkpoint_of_another_model_is_an_error_that_names_it(tmp_path, state):
    save(tmp_path, state, 1)
    other = make_model(SECTIONS["pretrain"](layers=2, width=32, heads=2, context=16, compile=False), VOCABULARY, END, 0)
    with pytest.raises(UserError, match=r"step-00000001-\w+\.safetensors"):
        load_checkpoint(last_whole(tmp_path), other, make_optimizers(other, SETTINGS))


def test_a_full_disk_is_one_message_and_leaves_the_one_before(tmp_path, state):
    save(tmp_path, state, 1)
    size, child = find_checkpoints(tmp_path)[0].stat().st_size, os.fork()
    if child == 0:  # the limit can't be taken back
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
        try:
            save(tmp_path, state, 2)
        except UserError as error:
            os._exit(7 if "Make room" in str(error) else 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert [step_of(path) for path in find_checkpoints(tmp_path)] == [1]
    assert step_of(last_whole(tmp_path)) == 1
