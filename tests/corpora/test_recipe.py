"""Recipes are read strictly."""

import subprocess
import sys

import pytest

from corpora.cleaning.cleanups import load_cleanups
from corpora.errors import UserError
from corpora.recipe import KLUE_TASKS, RECIPES, load_recipe
from corpora.tasks.task import TASKS
from tests.corpora.small_recipe import MINIMAL, write_recipe

SHIPPED = sorted(path.stem for path in RECIPES.glob("*.toml"))
FILES = 'kind = "files"\npaths = ["*"]\n'
HUB = 'kind = "hub"\ndataset = "a/b"\n'
EVALUATION = '[[evaluation]]\ntask = "nli"\nsplit = "train"\ndata = "hub"\n'
LIGHT = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_loads_and_names_clean_ups_that_exist(name):
    recipe = load_recipe(name)
    load_cleanups(recipe)
    assert all(source.licence for source in recipe.source)
    paths = [path for source in recipe.source for path in source.paths]
    assert not [path for path in paths if path.startswith(("/", "~"))]


def test_reading_a_recipe_and_finding_its_files_imports_pydantic_and_nothing_else():
    code = """
import sys
before = set(sys.modules)
from corpora.recipe import load_recipe
from corpora.sources.shards import input_files
assert len(input_files(load_recipe("sample"), None)) > 11
print(*{name.partition(".")[0] for name in set(sys.modules) - before})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {name for name in done.stdout.split() if not name.startswith("_sysconfigdata")}
    foreign = imported - set(sys.stdlib_module_names) - {"corpora"}
    assert "pydantic" in foreign
    assert foreign <= LIGHT


def test_an_evaluation_set_may_be_of_every_task():
    assert tuple(TASKS) == KLUE_TASKS


@pytest.mark.parametrize(
    "lines, place, message",
    [
        (f"{FILES}min_char = 3", "source 1", "unknown key 'min_char'. Did you mean 'min_chars'?"),
        ('kind = "fils"', "source 1", "kind=fils: has to be one of konlpy, files, hub. Did you"),
        (f'{FILES}format = "jsnl"', "source 1", "wikiextractor. Did you mean 'jsonl'?"),
        (f'{FILES}min_chars = "three"', "source 1", "min_chars=three: expected int"),
        ('kind = "files"\npaths = "*.txt"', "source 1", "paths=*.txt: expected a list of str."),
        (f"{FILES}min_hangul = 1.5", "source 1", "has to be at least 0 and at most 1."),
        (f"{FILES}byte_budget = -1", "source 1", "byte_budget=-1: has to be at least 0."),
        ('kind = "files"', "source 1", "a source of kind files needs paths."),
        (HUB, "source 1", "a source of kind hub needs dataset, subset, revision."),
        (f'{HUB}revision = "main"', "source 1", "'main' is a branch: give a commit hash or a"),
        (FILES + EVALUATION.replace("nli", "nil"), "evaluation 1", "Did you mean 'nli'?"),
        (f'{FILES}{EVALUATION}revision = "master"', "evaluation 1", "'master' is a branch"),
        (FILES + EVALUATION.replace("data", "#"), "evaluation 1", "'data' is missing."),
        (FILES + '[evaluation]\ntask = "nli"', "", "needs [[evaluation]] tables"),
        (f"{FILES}[cleanup]\nstars = 3", "", "cleanup.stars=3: expected a table."),
        (f"{FILES}min_chars = = 3", "", "not valid TOML"),
    ],
)
def test_a_wrong_recipe_is_refused_with_its_file_place_and_key(tmp_path, lines, place, message):
    path = write_recipe(tmp_path, MINIMAL + lines)
    with pytest.raises(UserError) as error:
        load_recipe(path)
    where = f"{path}, {place}: " if place else f"{path}: "
    assert str(error.value).startswith(where)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "before, after, message",
    [
        ('licence = "mine"', "", ", source 1: 'licence' is missing."),
        ("licence", "license", ", source 1: unknown key 'license'. Did you mean 'licence'?"),
        ('title = "t"', "", ": 'title' is missing."),
        ("0.1", "0.95", ": validation_share=0.95: has to be at least 0 and at most 0.9."),
        ('"a"', '"A b"', ", source 1: name='A b': needs lower-case letters, digits and hyphens"),
        ("[[source]]", "[source]", ": needs [[source]] tables, and at least one [[source]]."),
        ("[[source]]", "[[sourc]]", ": needs [[source]] tables, and at least one [[source]]."),
        ("[[source]]", "bands = 101\n[[source]]", ": bands=101: has to be at least 0 and at most"),
    ],
)
def test_what_a_recipe_has_to_say_is_checked(tmp_path, before, after, message):
    path = write_recipe(tmp_path, MINIMAL.replace(before, after) + FILES)
    with pytest.raises(UserError) as error:
        load_recipe(path)
    assert str(error.value).startswith(path + message)


def test_two_sources_of_one_name_are_refused(tmp_path):
    again = '[[source]]\nname = "a"\nlicence = "mine"\n'
    path = write_recipe(tmp_path, MINIMAL + FILES + again + FILES)
    with pytest.raises(UserError, match=r"source 'a': .*no two the same name"):
        load_recipe(path)


def test_an_unknown_name_lists_the_recipes_and_the_nearest():
    with pytest.raises(UserError, match=r"Did you mean 'sample'.*local, sample, web-large"):
        load_recipe("sampl")


def test_an_unknown_clean_up_names_the_nearest(tmp_path):
    recipe = load_recipe(write_recipe(tmp_path, f'{MINIMAL}{FILES}clean = ["white_space"]'))
    with pytest.raises(UserError, match="Did you mean 'whitespace'"):
        load_cleanups(recipe)


def test_a_recipes_own_clean_ups_stay_as_they_are_written(tmp_path):
    cleanup = '[cleanup.stars]\nreplace = [["*", "[*]+", ""]]\n'
    recipe = load_recipe(write_recipe(tmp_path, MINIMAL + f'{FILES}clean = ["stars"]\n{cleanup}'))
    assert recipe.cleanup == {"stars": {"replace": (("*", "[*]+", ""),)}}
    assert load_cleanups(recipe)["stars"]("글***") == "글"
