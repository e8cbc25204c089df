"""What `make status` says of stages that are built, stale or not there."""

from corpora.recipe import RECIPES
from tests.conftest import call_pipeline
from tests.pipeline.imports import LARGE, run_and_list_imports


def line_of(stage: str, text: str) -> str:
    """What was printed of one stage."""
    (line,) = (line for line in text.splitlines() if line.startswith(f"{stage} "))
    return line


def test_status_says_why_a_stage_is_stale(built, tiny_preset):
    text = call_pipeline("status", "--preset", tiny_preset, "pretrain.steps=41", folder=built)
    assert "steps: 40 -> 41" in line_of("pretrain", text)
    assert "needs pretrain first" in line_of("klue", text)
    assert text.count(" built ") == 3


def test_the_status_of_a_built_preset_needs_no_large_imports(built, tiny_preset):
    printed, imported = run_and_list_imports("status", "--preset", tiny_preset, folder=built)
    assert printed.count(" built ") == 5
    assert not imported & LARGE


def test_another_recipe_is_told_by_its_name_and_as_changed_files(built, tiny_preset, tmp_path):
    recipe = tmp_path / "mine.toml"
    sample = (RECIPES / "sample.toml").read_text(encoding="utf-8")
    recipe.write_text(sample + "\n# mine\n", encoding="utf-8")
    text = call_pipeline("status", "--preset", tiny_preset, "--recipe", recipe, folder=built)
    line = line_of("corpus", text)
    assert f"recipe: sample -> {recipe}" in line
    assert "raw input files changed" in line


def test_unfinished_work_is_told_with_its_size(copy, tiny_preset):
    finished = (copy / "artifacts/tiny/klue").resolve()
    partial = finished.rename(finished.with_name(f"{finished.name}.partial"))
    (partial / "work").write_bytes(bytes(2_000_000))
    text = call_pipeline("status", "--preset", tiny_preset, folder=copy)
    assert "unfinished" in line_of("klue", text)
    assert "never built" in line_of("klue", text)
    assert "of it unfinished work 2." in text
