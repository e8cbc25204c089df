"""Checkpoints: whole or not there, the last ones and the best are kept, and a damaged one is passed
over, loudly."""

import os
import resource
import signal
from pathlib import Path

import pytest
import torch

from corpora.errors import UserError
from pipeline.training.checkpoint import (
    Progress,
    find_checkpoints,
    last_undamaged,
    load_checkpoint,
    save_checkpoint,
    step_of,
)
from pipeline.training.optimizers import make_optimizers
from tests.pipeline.train_tiny import make_tiny, tiny

SETTINGS = tiny(layers=1)


@pytest.fixture(scope="module")
def state():
    """A model after one step, and its optimizers."""
    model = make_tiny(layers=1)
    optimizers = make_optimizers(model, SETTINGS)
    ids_1T = torch.arange(10)[None]
    model(ids_1T, labels=ids_1T).loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    return model, optimizers


def save(folder, state, step, best_step=0, keep=2):
    model, optimizers = state
    save_checkpoint(folder, model, optimizers, Progress(step=step, best_step=best_step), keep)


def last(folder: Path) -> Path:
    path = last_undamaged(folder)
    assert path
    return path


def steps_in(folder: Path) -> list[int]:
    return [step_of(path) for path in find_checkpoints(folder)]


def test_a_saved_state_comes_back_to_the_last_bit(tmp_path, state):
    save(tmp_path, state, 1)
    saved_model, saved_optimizers = state
    model = make_tiny(layers=1)
    optimizers = make_optimizers(model, SETTINGS)
    assert load_checkpoint(last(tmp_path), model, optimizers).step == 1
    for parameter, saved in zip(model.parameters(), saved_model.parameters()):
        assert torch.equal(parameter, saved)
    for optimizer, saved_optimizer in zip(optimizers, saved_optimizers):
        pairs = zip(parameters_of(optimizer), parameters_of(saved_optimizer))
        for parameter, saved in pairs:
            assert are_same(optimizer.state[parameter], saved_optimizer.state[saved])


def parameters_of(optimizer: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def are_same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_the_last_ones_and_the_best_are_kept(tmp_path, state):
    for step in (1, 2, 3, 4, 5):
        save(tmp_path, state, step, best_step=min(step, 2))
    assert steps_in(tmp_path) == [5, 4, 2]


def test_a_checkpoint_from_after_the_one_resumed_goes_with_the_next_save(tmp_path, state):
    save(tmp_path, state, 3)
    save(tmp_path, state, 9)
    save(tmp_path, state, 4)
    assert steps_in(tmp_path) == [4, 3]


def test_a_checkpoint_may_be_read_by_whom_the_umask_lets(tmp_path, state):
    before = os.umask(0o027)
    try:
        save(tmp_path, state, 1)
    finally:
        os.umask(before)
    assert last(tmp_path).stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "damage", ["truncate", "cut the last byte", "flip", "flip first", "flip in header", "empty"]
)
def test_a_damaged_checkpoint_is_passed_over_and_named(tmp_path, state, capsys, damage):
    save(tmp_path, state, 1)
    save(tmp_path, state, 2)
    path = find_checkpoints(tmp_path)[0]
    data = bytearray(path.read_bytes())
    flipped_at = {"flip": len(data) // 2, "flip first": 0, "flip in header": 100}
    cut_at = {"truncate": len(data) // 2, "cut the last byte": len(data) - 1, "empty": 0}
    if damage in flipped_at:
        data[flipped_at[damage]] ^= 1
    path.write_bytes(data[: cut_at.get(damage, len(data))])
    assert step_of(last(tmp_path)) == 1
    assert f"{path} is damaged" in capsys.readouterr().out


def test_only_damaged_checkpoints_are_an_error_and_none_is_a_beginning(tmp_path, state):
    assert last_undamaged(tmp_path) is None
    save(tmp_path, state, 1)
    find_checkpoints(tmp_path)[0].write_bytes(b"not a checkpoint")
    with pytest.raises(UserError, match="no whole checkpoint is left"):
        last_undamaged(tmp_path)


def test_a_checkpoint_of_another_model_is_an_error_that_names_it(tmp_path, state):
    save(tmp_path, state, 1)
    other = make_tiny(layers=2)
    with pytest.raises(UserError, match=r"step-00000001-\w+\.safetensors"):
        load_checkpoint(last(tmp_path), other, make_optimizers(other, SETTINGS))


def test_a_full_disk_is_one_message_and_leaves_the_one_before(tmp_path, state):
    save(tmp_path, state, 1)
    size = find_checkpoints(tmp_path)[0].stat().st_size
    child = os.fork()
    if child == 0:  # the limit can't be taken back
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
        try:
            save(tmp_path, state, 2)
        except UserError as error:
            os._exit(7 if "Make room" in str(error) else 1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert steps_in(tmp_path) == [1]
    assert step_of(last(tmp_path)) == 1
