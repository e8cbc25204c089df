"""What a key counts: raw files by their content, and in which role."""

import json
import os

import pytest

from corpora.errors import UserError
from pipeline.artifacts.digests import digest_of, digest_raw_files
from pipeline.artifacts.files import sha256_file


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("가")
    return path


def test_the_order_of_keys_does_not_change_a_digest():
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})


def test_raw_files_count_by_content_not_by_time(path, tmp_path):
    before = digest_raw_files([("a", path)], tmp_path)
    os.utime(path, ns=(0, 0))
    assert digest_raw_files([("a", path)], tmp_path) == before
    assert digest_raw_files([("another role", path)], tmp_path) != before
    path.write_text("나")
    assert digest_raw_files([("a", path)], tmp_path) != before


def test_the_cache_spares_hashing_a_file_again(path, tmp_path):
    digest_raw_files([("a", path)], tmp_path)
    cache = json.loads((tmp_path / ".digests.json").read_text())
    (tmp_path / ".digests.json").write_text(json.dumps(dict.fromkeys(cache, "from the cache")))
    assert digest_raw_files([("a", path)], tmp_path) == [["a", "from the cache"]]


def test_a_missing_raw_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"gone\.txt"):
        digest_raw_files([("a", tmp_path / "gone.txt")], tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"a": 5}', '{"a": [1, 2]}'])
def test_a_damaged_cache_of_digests_is_only_a_cache(path, tmp_path, content):
    (tmp_path / ".digests.json").write_text(content.replace('"a"', f'"{path}"'))
    assert digest_raw_files([("a", path)], tmp_path) == [["a", sha256_file(path)]]
