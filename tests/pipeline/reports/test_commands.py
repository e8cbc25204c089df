"""The command that gives what an artifact holds."""

import shlex

import pytest

from pipeline.launch import ANOTHER_WAY_TO_WRITE, read_preset
from pipeline.reports.commands import make_command, reads_data
from tests.pipeline.reports.made_up_run import make_artifact, make_recipe, make_run


def test_a_preset_as_it_is_needs_no_settings(tmp_path):
    preset, made = make_run(tmp_path, {})
    assert make_command("klue", "laptop", preset, made) == (
        "make klue-eval PRESET=laptop DATA=folder"
    )


def test_recipe_rows_and_seeds_have_variables_of_their_own(tmp_path):
    overrides = {"corpus.recipe": "local", "klue.seeds": "1", "klue.control": "false"}
    preset, made = make_run(tmp_path, overrides, klue_data="/text/klue")
    command = make_command("klue", "laptop", preset, made)
    assert command == (
        "make klue-eval PRESET=laptop RECIPE=local KLUE=/text/klue SEEDS=1 CONTROL=false "
        "DATA=folder"
    )


def test_only_settings_of_the_stages_before_are_named(tmp_path):
    overrides = {"tokenizer.superwords": "512", "pretrain.steps": "5000", "klue.noise": "true"}
    preset, made = make_run(tmp_path, overrides)
    before = {name: made[name] for name in ("corpus", "tokenizer")}
    assert make_command("tokenizer", "laptop", preset, before) == (
        'make tokenizer PRESET=laptop DATA=folder SET="tokenizer.superwords=512"'
    )


@pytest.mark.parametrize(
    "overrides",
    [
        {"klue.head": "linear language joint", "klue.noise": "true", "klue.curve": "1"},
        {"klue.epochs.nli": "5", "klue.learning_rate": "1e-05", "pretrain.steps": "5000"},
        {"pretrain.init": "some/folder", "tokenizer.init": "some/folder"},
        {"klue.model": "a folder", "klue.tasks": "nli re"},
    ],
)
def test_what_the_command_says_gives_the_settings_again(tmp_path, overrides):
    preset, made = make_run(tmp_path, overrides)
    command = make_command("klue", "laptop", preset, made).replace("\\\n", " ")
    variables = dict(word.split("=", 1) for word in shlex.split(command)[2:])
    typed = shlex.split(variables.pop("SET", ""))
    options = {
        name: variables[name.upper()] for name in ANOTHER_WAY_TO_WRITE if name.upper() in variables
    }
    again = read_preset(variables["PRESET"], typed, **options)
    wanted = read_preset("laptop", [f"{name}={text}" for name, text in overrides.items()])
    for section in ("corpus", "tokenizer", "pretrain", "klue"):
        assert dict(again)[section].keyed() == dict(wanted)[section].keyed()


@pytest.mark.parametrize(
    "recipe, needed",
    [
        (make_recipe("text/*.txt"), True),
        (make_recipe("/text/*.txt"), False),
        (make_recipe(), False),
        (make_recipe(evaluation="klue"), True),
        (make_recipe(evaluation="sample"), False),
    ],
)
def test_the_folder_of_text_is_asked_for_where_a_recipe_reads_one(tmp_path, recipe, needed):
    corpus = make_artifact(tmp_path, "corpus", {}, {"recipe.json": recipe})
    assert reads_data(corpus.path) == needed
