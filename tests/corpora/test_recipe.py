"""Recipes are read strictly, and say exactly which files they mean."""
import subprocess
import sys

import pytest

from corpora.cleaning.cleanups import load_cleanups
from corpora.errors import UserError
from corpora.recipe import RECIPES, load_recipe
from corpora.sources.shards import input_files, make_shards

SHIPPED = sorted(path.stem for path in RECIPES.glob("*.toml"))
MINIMAL = 'title = "t"\ndescription = "d"\nvalidation_share = 0.1\n[[source]]\nname = "a"\nlicence = "mine"\n'


def write(folder, text):
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_loads_and_names_clean_ups_that_exist(name):
    recipe = load_recipe(name)
    load_cleanups(recipe)
    assert all(source.licence for source in recipe.source)
    assert all(not path.startswith(("/", "~")) for source in recipe.source for path in source.paths)


def test_reading_a_recipe_imports_the_standard_library_only():
    code = ("import sys; before = set(sys.modules); from corpora.recipe import load_recipe, input_files; "
            "input_files(load_recipe('sample'), None); "
            "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
            "sys.exit(str(sorted(new - set(sys.stdlib_module_names) - {'corpora'})) if "
            "new - set(sys.stdlib_module_names) - {'corpora'} else 0)")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("line, message", [
    ('kind = "files"\npaths = ["*.txt"]\nmin_char = 3', "unknown key 'min_char'. Did you mean 'min_chars'"),
    ('kind = "fils"\npaths = ["*.txt"]', "Did you mean 'files'"),
    ('kind = "files"\npaths = ["*.txt"]\nmin_chars = "three"', "expected int"),
    ('kind = "files"\npaths = "*.txt"', "expected a list of str"),
    ('kind = "files"\npaths = ["*"]\nmin_hangul = 1.5', "has to be at least 0 and at most 1"),
    ('kind = "files"\npaths = ["*"]\n[[evaluation]]\ntask = "nil"\nsplit = "validation"\ndata = "hub"', "Did you mean 'nli'"),
    ('kind = "files"\npaths = ["*"]\n[[evaluation]]\ntask = "nli"\nsplit = "train"\ndata = "hub"\nrevision = "main"', "is a branch"),
    ('kind = "files"\npaths = ["*"]\n[evaluation]\ntask = "nli"', "needs [[evaluation]] tables"),
    ('kind = "files"', "needs paths"),
    ('kind = "hub"\ndataset = "a/b"', "revision"),
    ('kind = "hub"\ndataset = "a/b"\nrevision = "main"', "is a branch"),
    ('kind = "files"\npaths = ["*"]\nmin_chars = = 3', "not valid TOML"),
])
def test_a_wrong_recipe_is_refused_with_its_file_and_key(tmp_path, line, message):
    path = write(tmp_path, MINIMAL + line)
    with pytest.raises(UserError) as error:
        load_recipe(path)
    assert message in str(error.value)
    assert "recipe.toml" in str(error.value)


def test_a_missing_key_and_two_equal_names_are_refused(tmp_path):
    with pytest.raises(UserError, match="'licence' is missing"):
        load_recipe(write(tmp_path, MINIMAL.replace('licence = "mine"', 'kind = "files"')))
    source = 'kind = "files"\npaths = ["*"]\n'
    with pytest.raises(UserError, match="same name"):
        load_recipe(write(tmp_path, MINIMAL + source + '[[source]]\nname = "a"\nlicence = "mine"\n' + source))


def test_an_unknown_name_lists_the_recipes_and_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'sample'"):
        load_recipe("sampl")


def test_an_unknown_clean_up_names_the_nearest(tmp_path):
    recipe = load_recipe(write(tmp_path, MINIMAL + 'kind = "files"\npaths = ["*"]\nclean = ["white_space"]'))
    with pytest.raises(UserError, match="Did you mean 'whitespace'"):
        load_cleanups(recipe)


def test_the_sample_recipe_finds_konlpys_eleven_texts():
    files = [path for role, path in input_files(load_recipe("sample"), None) if not role.startswith("evaluation")]
    assert len(files) == 11
    assert files == sorted(files, key=lambda path: (path.parent.name != "kolaw", path.name))


def test_relative_paths_need_data_and_every_glob_must_match(tmp_path):
    recipe = load_recipe("local")
    with pytest.raises(UserError, match="give it with DATA=folder"):
        input_files(recipe, None)
    with pytest.raises(UserError, match="no such folder"):
        input_files(recipe, tmp_path / "missing")
    with pytest.raises(UserError, match="no file matches 'corpus/kowiki"):
        input_files(recipe, tmp_path)


def test_files_come_in_one_order_and_small_ones_share_a_shard(tmp_path):
    for name in ("b.txt", "a.txt", "c/d.txt"):
        path = tmp_path / "text" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("글", encoding="utf-8")
    (tmp_path / "text" / "big.txt").write_bytes(b"x" * (9 << 20))
    recipe = load_recipe(write(tmp_path, MINIMAL + 'kind = "files"\npaths = ["text/**/*.txt", "text/a.txt"]'))
    assert [path.name for _, path in input_files(recipe, tmp_path)] == ["a.txt", "b.txt", "big.txt", "d.txt"]
    shards = make_shards(recipe, tmp_path, hub_parts=None)
    assert [[label for _, label in shard.files] for shard in shards] == [
        ["text/a.txt", "text/b.txt"], ["text/big.txt"], ["text/c/d.txt"]]
    assert [shard.name for shard in shards] == ["a-00000", "a-00001", "a-00002"]


def test_a_file_of_unknown_format_is_refused_before_any_work(tmp_path):
    (tmp_path / "a.hwp").write_bytes(b"x")
    recipe = load_recipe(write(tmp_path, MINIMAL + 'kind = "files"\npaths = ["a.hwp"]'))
    with pytest.raises(UserError, match="set format in source 'a'"):
        make_shards(recipe, tmp_path, hub_parts=None)


def test_an_evaluation_set_counts_as_an_input_wherever_it_lies(tmp_path):
    text = MINIMAL + 'kind = "konlpy"\npaths = ["kolaw/*.txt"]\n[[evaluation]]\ntask = "re"\nsplit = "validation"\ndata = '
    roles = [role for role, _ in input_files(load_recipe(write(tmp_path, text + '"sample"')), None)]
    assert roles == ["a: konlpy/kolaw/constitution.txt", "evaluation re validation: validation.jsonl"]
    assert len(input_files(load_recipe(write(tmp_path, text + '"hub"\nrevision = "abc"')), None)) == 1
    with pytest.raises(UserError, match="give it with DATA=folder"):
        input_files(load_recipe(write(tmp_path, text + '"klue"')), None)
    with pytest.raises(UserError, match="no such folder"):
        input_files(load_recipe(write(tmp_path, text + '"klue"')), tmp_path)
