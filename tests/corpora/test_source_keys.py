"""A key that doesn't apply to a source's kind or to a file's format is refused, not swallowed."""

import typing
import zipfile

import pytest

from corpora.errors import UserError
from corpora.recipe import FileFormat, Source, load_recipe
from corpora.source_keys import (
    FORMATS_OF_KEYS,
    KEYS_OF_KINDS,
    UNITS,
    require_archive_for_members,
    require_keys_of_format,
)
from corpora.sources.read import read_file
from corpora.sources.shards import make_shards
from tests.corpora.small_recipe import MINIMAL, make_recipe, make_source, write_recipe

FORMATS = [name for name in typing.get_args(FileFormat) if name]
VALUES = {
    "text": "body",
    "title": "head",
    "id": "guid",
    "only": ("a",),
    "delimiter": ";",
    "columns": ("id", "text"),
    "unit": "file",
}


def test_the_tables_name_keys_and_formats_that_exist():
    assert {key for keys in KEYS_OF_KINDS.values() for key in keys} <= set(Source.model_fields)
    assert set(FORMATS_OF_KEYS) == set(VALUES) <= set(Source.model_fields)
    assert {name for names in FORMATS_OF_KEYS.values() for name in names} <= set(FORMATS)
    assert set(UNITS) == set(FORMATS_OF_KEYS["unit"])


def test_nsmc_as_it_is_shipped_is_told_the_format_to_set(tmp_path):
    (tmp_path / "ratings_train.txt").write_bytes("id\tdocument\tlabel\n1\t재밌다\t1\n".encode())
    lines = 'kind = "files"\npaths = ["ratings*.txt"]\ntext = "document"'
    recipe = load_recipe(write_recipe(tmp_path, MINIMAL + lines))
    with pytest.raises(UserError) as error:
        make_shards(recipe, tmp_path, lambda source: 0)
    message = str(error.value)
    assert message.startswith("ratings_train.txt: source 'a' says text = \"document\", but the")
    assert 'plain text, which has no columns: text doesn\'t apply to it. Set format = "tsv"' in (
        message
    )


@pytest.mark.parametrize("key", FORMATS_OF_KEYS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_key_is_taken_by_its_formats_and_refused_by_all_others(name, key):
    source = make_source(**{key: VALUES[key]})
    if name in FORMATS_OF_KEYS[key]:
        require_keys_of_format(source, name, "a")
    else:
        with pytest.raises(UserError, match=f"a: source 's' says {key} = .*: {key} doesn't apply"):
            require_keys_of_format(source, name, "a")


def test_a_key_with_its_default_value_counts_as_given():
    require_keys_of_format(make_source(), "txt", "a")
    with pytest.raises(UserError, match='says text = "text"'):
        require_keys_of_format(make_source(text="text"), "txt", "a")


@pytest.mark.parametrize("name", ["md", "json"])
def test_a_unit_that_a_format_does_not_have_is_refused(name):
    with pytest.raises(UserError, match=f'says unit = "line", but a {name} file is one document'):
        require_keys_of_format(make_source(unit="line"), name, "a")


def test_members_are_for_archives_alone(tmp_path):
    source = make_source(members=("*.txt",))
    require_archive_for_members(make_source(), False, "a")
    require_archive_for_members(source, True, "a")
    (tmp_path / "a.txt").write_text("글", encoding="utf-8")
    recipe = make_recipe(source)
    with pytest.raises(
        UserError, match=r'a\.txt: .* members = \["\*\.txt"\], which applies to arch'
    ):
        make_shards(recipe, tmp_path, lambda source: 0)


def test_the_keys_are_checked_for_every_member_of_an_archive(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jsonl", '{"text": "가"}')
        archive.writestr("b.txt", "글")
    with pytest.raises(UserError, match=r"b\.txt'?: source 's' says text = \"text\", but the file"):
        list(read_file(make_source(text="text"), path, "a.zip"))
    assert len(list(read_file(make_source(), path, "a.zip"))) == 2


@pytest.mark.parametrize(
    "lines, message",
    [
        ('kind = "files"\npaths = ["*"]\ndataset = "a/b"', "dataset is a key of sources of kind"),
        ('kind = "files"\npaths = ["*"]\nbyte_budget = 0', "of kind hub, not of files."),
        ('kind = "konlpy"\npaths = ["*"]\nmembers = ["*"]', "of kind files, not of konlpy."),
        (
            'kind = "hub"\ndataset = "a/b"\nrevision = "f"\nformat = "csv"',
            "format is a key of sources of kind files, not of hub.",
        ),
        (
            'kind = "hub"\ndataset = "a/b"\nrevision = "f"\npaths = ["*"]',
            "paths is a key of sources of kind files and konlpy, not of hub.",
        ),
    ],
)
def test_a_key_of_another_kind_is_refused_with_the_kinds_that_have_it(tmp_path, lines, message):
    with pytest.raises(UserError) as error:
        load_recipe(write_recipe(tmp_path, MINIMAL + lines))
    assert "source 1: " in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize("delimiter", [";;", '\\"', "\\n", "ab"])
def test_a_delimiter_is_one_character(tmp_path, delimiter):
    lines = f'kind = "files"\npaths = ["*"]\ndelimiter = "{delimiter}"'
    with pytest.raises(UserError, match="has to be one character"):
        load_recipe(write_recipe(tmp_path, MINIMAL + lines))


def test_two_columns_of_one_name_are_refused(tmp_path):
    lines = 'kind = "files"\npaths = ["*"]\ncolumns = ["text", "text"]'
    with pytest.raises(UserError, match="no two may have the same name"):
        load_recipe(write_recipe(tmp_path, MINIMAL + lines))
