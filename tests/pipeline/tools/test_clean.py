"""`make clean` removes unfinished work that nobody is at."""

from pipeline.artifacts.locks import locked
from tests.conftest import call_pipeline


def test_unfinished_work_goes_and_finished_work_stays(tmp_path):
    partial = tmp_path / "artifacts/pretrain/0123.partial"
    finished = tmp_path / "artifacts/pretrain/4567"
    partial.mkdir(parents=True)
    finished.mkdir()
    assert f"removing {partial.relative_to(tmp_path)}" in call_pipeline("clean", folder=tmp_path)
    assert not partial.exists()
    assert finished.exists()


def test_what_a_command_is_working_on_is_left_alone(tmp_path):
    partial = tmp_path / "artifacts/pretrain/0123.partial"
    partial.mkdir(parents=True)
    with locked(tmp_path / "artifacts/.locks/pretrain-0123"):
        assert "a command is working on it" in call_pipeline("clean", folder=tmp_path)
    assert partial.exists()
