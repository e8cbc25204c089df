"""A recipe means exactly the files that are there, in one order, cut into always the same
shards."""

import os
import sys
from unicodedata import normalize

import pytest

from corpora.errors import UserError
from corpora.paths import escaped
from corpora.recipe import load_recipe
from corpora.sources.shards import (
    SHARD_BYTES,
    Shard,
    file_format,
    input_files,
    make_shards,
    source_files,
)
from tests.corpora.small_recipe import MINIMAL, make_source, write_recipe


def no_hub(source):
    raise AssertionError(f"{source.name} isn't on the Hub")


def test_the_sample_recipe_finds_konlpys_eleven_texts():
    files = input_files(load_recipe("sample"), None)
    texts = [path for role, path in files if not role.startswith("evaluation")]
    assert len(texts) == 11
    assert texts == sorted(texts, key=lambda path: (path.parent.name != "kolaw", path.name))


def test_relative_paths_need_data_and_every_glob_must_match(tmp_path):
    recipe = load_recipe("local")
    with pytest.raises(UserError, match="give it with DATA=folder"):
        input_files(recipe, None)
    with pytest.raises(UserError, match="no such folder"):
        input_files(recipe, tmp_path / "missing")
    with pytest.raises(UserError, match="no file matches 'corpus/kowiki"):
        input_files(recipe, tmp_path)


def test_an_absolute_path_needs_no_data_and_is_reported_by_its_name(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("글", encoding="utf-8")
    source = make_source(paths=(str(path),))
    assert source_files(source, None) == [(path, "a.txt")]
    assert source_files(source, tmp_path) == [(path, "a.txt")]
    assert source_files(source, tmp_path.parent) == [(path, f"{tmp_path.name}/a.txt")]


def test_files_come_in_one_order_and_small_ones_share_a_shard(tmp_path):
    for name in ("b.txt", "a.txt", "c/d.txt"):
        path = tmp_path / "text" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("글", encoding="utf-8")
    (tmp_path / "text" / "big.txt").write_bytes(b"x" * (SHARD_BYTES + 1))
    source = 'kind = "files"\npaths = ["text/**/*.txt", "text/a.txt"]'
    recipe = load_recipe(write_recipe(tmp_path, MINIMAL + source))
    names = [path.name for _, path in input_files(recipe, tmp_path)]
    assert names == ["a.txt", "b.txt", "big.txt", "d.txt"]
    shards = make_shards(recipe, tmp_path, no_hub)
    labels = [[label for _, label in shard.files] for shard in shards]
    assert labels == [["text/a.txt", "text/b.txt"], ["text/big.txt"], ["text/c/d.txt"]]
    assert [shard.name for shard in shards] == ["a-00000", "a-00001", "a-00002"]


@pytest.mark.parametrize("typed, on_disk", [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_in_another_normal_form_are_read_and_reported_in_one(tmp_path, typed, on_disk):
    for name in ("소설_가.txt", "소설_나.txt"):
        (tmp_path / normalize(on_disk, name)).write_text("글", encoding="utf-8")
    (tmp_path / normalize(typed, "소설_가.txt")).write_text("다른 글", encoding="utf-8")
    files = source_files(make_source(paths=(normalize(typed, "소설_*.txt"),)), tmp_path)
    first, second, third = [label for _, label in files]
    assert [first, third] == [normalize("NFC", name) for name in ("소설_가.txt", "소설_나.txt")]
    assert second == normalize("NFD", "소설_가.txt")
    assert len({path for path, _ in files}) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes on Linux alone")
def test_names_in_cp949_are_read_and_reported_as_they_are_meant(tmp_path):
    in_cp949 = os.fsdecode("소설_가.txt".encode("cp949"))
    unknown = os.fsdecode(b"\xff\x80.txt")
    for name in (in_cp949, "소설_가.txt", unknown):
        (tmp_path / name).write_text("글", encoding="utf-8")
    files = source_files(make_source(paths=("소설_*.txt", "*.txt")), tmp_path)
    labels = [label for _, label in files]
    assert labels == ["소설_가.txt", escaped(in_cp949), escaped(unknown)]
    assert [path.name for path, _ in files] == ["소설_가.txt", in_cp949, unknown]


def test_a_path_that_exists_as_it_is_spelt_is_that_file(tmp_path):
    name = "[원천] 뉴스 (1).txt"
    (tmp_path / name).write_text("글", encoding="utf-8")
    assert source_files(make_source(paths=(name,)), tmp_path) == [(tmp_path / name, name)]


@pytest.mark.parametrize(
    "pattern, message",
    [
        ("[원천] 뉴스*.txt", r"a \[ itself is written '\[\[\]원천\] 뉴스\*\.txt'"),
        ("novels", r"only a folder \(.*novels\): write 'novels/\*\*/\*\.txt' or the like"),
        ("nov*", r"write 'nov\*/\*\*/\*\.txt' or the like"),
        ("*.csv", "Check DATA= and the source's paths.$"),
    ],
)
def test_a_pattern_that_matches_no_file_says_what_to_write(tmp_path, pattern, message):
    (tmp_path / "novels").mkdir()
    (tmp_path / "[원천] 뉴스 (1).txt").write_text("글", encoding="utf-8")
    with pytest.raises(UserError, match=f"no file matches .*{message}"):
        source_files(make_source(paths=(pattern,)), tmp_path)


def test_a_hub_source_has_as_many_shards_as_parts_and_files_come_after_it():
    recipe = load_recipe("web-small")
    wikipedia, web = recipe.source
    parts = {wikipedia.name: 2, web.name: 3}
    shards = make_shards(recipe, None, lambda source: parts[source.name])
    assert shards == [
        Shard(0, wikipedia, (), 0, 2),
        Shard(1, wikipedia, (), 1, 2),
        Shard(2, web, (), 0, 3),
        Shard(3, web, (), 1, 3),
        Shard(4, web, (), 2, 3),
    ]


@pytest.mark.parametrize(
    "name, expected",
    [
        ("a.JSON", "json"),
        ("a.ndjson.gz", "jsonl"),
        ("a.b.markdown", "md"),
        ("a.tsv.zst", "tsv"),
        ("kowiki-latest-pages-articles.xml.bz2", "mediawiki"),
        ("AA/wiki_00", "wikiextractor"),
        ("wiki_123.bz2", "wikiextractor"),
    ],
)
def test_a_files_format_is_what_its_suffix_says(tmp_path, name, expected):
    assert file_format(make_source(), tmp_path / name) == expected
    assert file_format(make_source(format="csv"), tmp_path / name) == "csv"


def test_a_file_of_unknown_format_is_refused_before_any_work(tmp_path):
    (tmp_path / "a.hwp").write_bytes(b"x")
    recipe = load_recipe(write_recipe(tmp_path, MINIMAL + 'kind = "files"\npaths = ["a.hwp"]'))
    with pytest.raises(UserError, match="set format in source 'a'"):
        make_shards(recipe, tmp_path, no_hub)


def test_an_archive_is_one_file_of_one_shard_whatever_it_holds(tmp_path):
    (tmp_path / "a.tar.zst").write_bytes(b"x")
    (tmp_path / "b.ZIP").write_bytes(b"x")
    recipe = load_recipe(write_recipe(tmp_path, MINIMAL + 'kind = "files"\npaths = ["[ab].*"]'))
    [shard] = make_shards(recipe, tmp_path, no_hub)
    assert [label for _, label in shard.files] == ["a.tar.zst", "b.ZIP"]


def test_a_file_without_a_format_is_called_what_it_is(tmp_path):
    (tmp_path / "a.hwp").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
    with pytest.raises(UserError, match=r"a\.hwp: an HWP document .* Save its text as \.txt"):
        file_format(make_source(), tmp_path / "a.hwp")


def test_an_evaluation_set_counts_as_an_input_wherever_it_lies(tmp_path):
    def load(data):
        source = 'kind = "konlpy"\npaths = ["kolaw/*.txt"]\n'
        evaluation = f'[[evaluation]]\ntask = "re"\nsplit = "validation"\ndata = {data}'
        return load_recipe(write_recipe(tmp_path, MINIMAL + source + evaluation))

    roles = [role for role, _ in input_files(load('"sample"'), None)]
    expected = ["a: konlpy/kolaw/constitution.txt", "evaluation re validation: validation.jsonl"]
    assert roles == expected
    assert len(input_files(load('"hub"\nrevision = "abc"'), None)) == 1
    with pytest.raises(UserError, match="give it with DATA=folder"):
        input_files(load('"klue"'), None)
    with pytest.raises(UserError, match="no such folder"):
        input_files(load('"klue"'), tmp_path)
