"""The pretraining stage: what it leaves in its folder."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from corpora.contamination import DECONTAMINATED
from corpora.errors import UserError
from pipeline.executors import Context
from pipeline.models.generate import continue_text
from pipeline.stages import pretrain
from pipeline.training.processes import end_process
from tests.pipeline.stages.pretrain_inputs import write_inputs
from tests.pipeline.train_tiny import pose_as_torchruns, run_in_processes, tiny


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[str, Path]:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


def run(inputs: dict[str, Path], folder: Path, context: int = 64, **changes):
    settings = tiny(micro_batch_size=4, context=context, **changes)
    return pretrain.run(settings, inputs, folder, Context("cpu"))


@pytest.fixture(scope="module")
def finished(inputs, tmp_path_factory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("finished")
    return folder, run(inputs, folder)


def test_the_folder_loads_with_stock_classes(finished):
    folder, figures = finished
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.num_parameters() == figures["parameters"]
    assert AutoTokenizer.from_pretrained(folder).decode([3]) == "</s>"


def test_the_card_says_what_the_model_is_and_how_good(finished):
    folder, figures = finished
    card = (folder / "README.md").read_text()
    assert "from random weights" in card
    assert f"**{figures['bits_per_byte']:.4f} bits per byte**" in card
    assert "| law | public domain |" in card
    assert "the token `</s>` (id 3)" in card


def test_the_cards_own_example_runs(finished, capsys):
    folder, _ = finished
    card = (folder / "README.md").read_text()
    example = card.split("```python\n")[1].partition("```")[0]
    exec(example.replace("THIS_FOLDER", str(folder)))
    assert capsys.readouterr().out.startswith("대한민국은")


def test_every_validation_leaves_a_line_for_each_prompt_and_the_curves(finished):
    folder, _ = finished
    samples = sorted((folder / "logs").glob("samples-*.md"))
    assert [path.name for path in samples] == ["samples-000004.md", "samples-000008.md"]
    lines = samples[0].read_text().splitlines()
    assert len(lines) == len(pretrain.PROMPTS)
    assert all(f"**{prompt}**" in line for prompt, line in zip(pretrain.PROMPTS, lines))
    assert (folder / "logs/curves.png").stat().st_size > 1000


SAME_BY_ANY_NUMBER = {"optimizer": "adamw", "precision": "fp32"}


def pretrain_in_one_of_several(
    rank: int, world: int, port: int, inputs: dict[str, Path], folder: Path, parallel: str
) -> None:
    """Leaves a file that says in how many texts this process took part."""
    pose_as_torchruns(rank, world, port)
    texts = []

    def counting(*arguments: Any, **options: Any) -> list[str]:
        texts.extend(continue_text(*arguments, **options))
        (folder / f"samples-of-{rank}").write_text(f"{len(texts)}")
        return texts[-1:]

    pretrain.continue_text = counting
    run(inputs, folder, parallel=parallel, snapshots=1, **SAME_BY_ANY_NUMBER)
    end_process()


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_all_processes_sample_together_what_one_would(inputs, tmp_path, parallel):
    """Nobody waits for another to sample alone; the model isn't brought together for it, as it is
    for a model that is kept on the way."""
    alone = tmp_path / "alone"
    together = tmp_path / "together"
    together.mkdir()
    run(inputs, alone, snapshots=1, **SAME_BY_ANY_NUMBER)
    codes = run_in_processes(2, pretrain_in_one_of_several, inputs, together, parallel)
    assert codes == [0, 0]
    for path in sorted((alone / "logs").glob("samples-*.md")):
        assert (together / "logs" / path.name).read_text() == path.read_text()
    counts = [(together / f"samples-of-{rank}").read_text() for rank in (0, 1)]
    assert counts == [f"{2 * len(pretrain.PROMPTS)}"] * 2
    for name in ("model.safetensors", "snapshots/000003/model.safetensors"):
        one, two = (load_file(folder / name) for folder in (alone, together))
        assert all(torch.allclose(one[each], two[each], atol=1e-5) for each in one)


def test_models_on_the_way_are_kept_as_they_were(inputs, tmp_path, monkeypatch):
    weights = {}
    write = pretrain.write_snapshot

    def noting(model, tokenizer, folder, step):
        write(model, tokenizer, folder, step)
        weights[step] = {name: weight.detach().clone() for name, weight in model.named_parameters()}

    monkeypatch.setattr(pretrain, "write_snapshot", noting)
    run(inputs, tmp_path, snapshots=2)
    assert [*weights] == [1, 3]
    kept = sorted((tmp_path / "snapshots").iterdir())
    assert [path.name for path in kept] == ["000001", "000003"]
    for path, expected in zip(kept, weights.values()):
        model = AutoModelForCausalLM.from_pretrained(path)
        found = dict(model.named_parameters())
        assert all(torch.equal(found[name], weight) for name, weight in expected.items())
        assert model.config.pad_token_id == AutoTokenizer.from_pretrained(path).pad_token_id


def test_models_on_the_way_are_the_same_after_a_crash(inputs, tmp_path, monkeypatch):
    whole = tmp_path / "whole"
    run(inputs, whole, snapshots=2, checkpoint_minutes=0)
    write = pretrain.write_snapshot

    def crash(model, tokenizer, folder, step):
        if step == 3:
            raise KeyboardInterrupt
        write(model, tokenizer, folder, step)

    monkeypatch.setattr(pretrain, "write_snapshot", crash)
    with pytest.raises(KeyboardInterrupt):
        run(inputs, tmp_path / "cut", snapshots=2, checkpoint_minutes=0)
    monkeypatch.undo()
    run(inputs, tmp_path / "cut", snapshots=2, checkpoint_minutes=0)
    for name in ("snapshots/000001", "snapshots/000003", ""):
        one, other = (folder / name / "model.safetensors" for folder in (whole, tmp_path / "cut"))
        assert one.read_bytes() == other.read_bytes()


def test_a_prompt_that_fills_the_context_doesnt_stop_the_training(inputs, tmp_path):
    run(inputs, tmp_path, context=8, steps=1, warmup_steps=0)
    lines = (tmp_path / "logs/samples-000001.md").read_text().splitlines()
    assert len(lines) == len(pretrain.PROMPTS)
    assert any("tokens fill the model's context of 8." in line for line in lines)


def test_what_was_kept_out_of_training_is_told_of_a_new_model_only(finished, inputs, tmp_path):
    folder, _ = finished
    assert (folder / DECONTAMINATED).exists()
    run(inputs, tmp_path, init=str(folder), steps=1, warmup_steps=0)
    assert not (tmp_path / DECONTAMINATED).exists()
    assert f"continued from `{folder}`" in (tmp_path / "README.md").read_text()


def test_a_better_model_of_an_earlier_validation_lies_beside_the_last(
    inputs, tmp_path, monkeypatch
):
    best = {}

    def spoil(model, tokenizer, seed, logs, step):
        if step == 4:
            for name, parameter in model.named_parameters():
                parameter.data.mul_(30)
                best[name] = parameter.detach().clone()  # what the checkpoint will hold

    monkeypatch.setattr(pretrain, "write_samples", spoil)
    figures = run(inputs, tmp_path)
    assert figures["best_step"] == 4
    beside = load_file(tmp_path / "best/model.safetensors")
    assert all(torch.equal(beside[name], weight) for name, weight in best.items())
    last = load_file(tmp_path / "model.safetensors")
    assert not any(torch.equal(last[name], weight) for name, weight in best.items())
    assert AutoTokenizer.from_pretrained(tmp_path / "best")


def test_a_damaged_checkpoint_of_the_best_model_is_told(inputs, tmp_path, monkeypatch, capsys):
    def spoil(model, tokenizer, seed, logs, step):
        if step == 4:
            for parameter in model.parameters():
                parameter.data.mul_(30)

    monkeypatch.setattr(pretrain, "write_samples", spoil)
    monkeypatch.setattr(pretrain, "is_undamaged", lambda path: False)
    run(inputs, tmp_path)
    assert "no undamaged checkpoint of step 4" in capsys.readouterr().out
    assert not (tmp_path / "best").exists()


def test_a_batch_that_processes_cant_share_is_told_before_anything_is_trained(
    inputs, tmp_path, monkeypatch
):
    monkeypatch.setattr(pretrain, "join_processes", lambda device: (0, 3))
    with pytest.raises(UserError, match=r"batch_size=4: has to be a multiple of the 3 processes"):
        run(inputs, tmp_path)
