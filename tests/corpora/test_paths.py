"""A path means the file that it spells, in whatever normal form its name stands on the disk."""

import glob
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given, strategies

from corpora.errors import UserError
from corpora.paths import composed, find_path, match_paths

FORMS = ["NFC", "NFD"]


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("글", encoding="utf-8")


def names(folder: Path, pattern: str) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in match_paths(pattern, folder)]


@pytest.mark.parametrize("typed", FORMS)
@pytest.mark.parametrize("on_disk", FORMS)
def test_a_pattern_matches_names_in_every_form(tmp_path, typed, on_disk):
    name = normalize(on_disk, "소설") + "/" + normalize("NFC", "가.txt")
    twin = normalize("NFC", "소설") + "/" + normalize("NFD", "나.txt")
    make_files(tmp_path, name, twin)
    for pattern in ("소설/?.txt", "소*/*.txt", "**/*.txt", "[소]설/[가나].txt"):
        assert {composed(each) for each in names(tmp_path, normalize(typed, pattern))} == {
            composed(name),
            composed(twin),
        }
    assert names(tmp_path, normalize(typed, "소설/가.txt")) == [name]


def test_two_names_that_differ_in_their_form_alone_are_both_found(tmp_path):
    twins = [normalize(form, "소설.txt") for form in FORMS]
    make_files(tmp_path, *twins)
    for pattern in ("소설.txt", "*.txt"):
        assert sorted(names(tmp_path, pattern)) == sorted(twins)


def test_the_order_does_not_depend_on_the_form(tmp_path):
    words = ["가", "각", "나", "ㄱ", "z"]
    orders = []
    for form in FORMS:
        folder = tmp_path / form
        make_files(folder, *(normalize(form, f"{word}/{word}.txt") for word in words))
        orders.append([composed(name) for name in names(folder, "**/*.txt")])
    assert orders[0] == orders[1]


@pytest.mark.parametrize("name", ["[원천] 뉴스 (1).txt", "a[1].txt", "b*?.txt"])
def test_what_exists_as_it_is_spelt_is_that_file(tmp_path, name):
    make_files(tmp_path, name, "a1.txt", "bcd.txt", "원")
    assert names(tmp_path, name) == [name]
    make_files(tmp_path, f"[{name}]/1.txt", f"[{name}]/2.txt")
    assert len(names(tmp_path, f"[{name}]/*.txt")) == 2


NAMES = strategies.sampled_from(["a", "b", ".h", "가", "a1", "dd"])
PATTERNS = strategies.lists(
    strategies.sampled_from(["*", "**", "a", "?", ".*", "[ab]", "가", "d*"]), min_size=1, max_size=4
)


@given(strategies.lists(strategies.lists(NAMES, min_size=1, max_size=3), max_size=6), PATTERNS)
def test_patterns_mean_what_they_mean_to_glob(tmp_path_factory, trees, pattern):
    folder = tmp_path_factory.mktemp("tree")
    for parts in trees:
        path = folder.joinpath(*parts, "file")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    text = "/".join(pattern)
    wanted = glob.glob(text, root_dir=folder, recursive=True)  # noqa: PTH207 - the peer
    found = {path for path in match_paths(text, folder) if path.is_file()}
    assert found == {folder / each for each in wanted if (folder / each).is_file()}


def test_links_in_a_circle_end(tmp_path):
    make_files(tmp_path, "a/x.txt", "b/y.txt")
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    (tmp_path / "a" / "over").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "over").symlink_to(tmp_path / "a")
    assert names(tmp_path, "**/*.txt") == [
        "a/over/y.txt",
        "a/x.txt",
        "b/over/x.txt",
        "b/y.txt",
    ]


@pytest.mark.parametrize("typed", FORMS)
@pytest.mark.parametrize("on_disk", FORMS)
def test_a_path_is_found_in_every_form_and_one_that_is_not_there_stays(tmp_path, typed, on_disk):
    path = tmp_path / normalize(on_disk, "자료") / "한국어"
    path.mkdir(parents=True)
    assert find_path(tmp_path / normalize(typed, "자료") / "한국어") == path
    missing = tmp_path / "없다"
    assert find_path(str(missing)) == missing


def test_several_folders_of_other_forms_are_refused(tmp_path):
    mixed = normalize("NFC", "가") + normalize("NFD", "나")
    for name in (normalize("NFD", "가나"), mixed):
        (tmp_path / name).mkdir()
    with pytest.raises(UserError, match="there are 2 of this name"):
        find_path(tmp_path / normalize("NFC", "가나"))
