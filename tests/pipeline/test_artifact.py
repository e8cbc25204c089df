"""The stage contract, point by point."""
import json
import multiprocessing
import os
import signal
import time

import pytest

from corpora.errors import UserError
from pipeline import artifact

ORIGIN = {"version": 1, "settings": {}, "inputs": {}, "raw_files": []}


def write_one(folder):
    (folder / "a.txt").write_text("가")
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs" / "time.txt").write_text(str(time.monotonic_ns()))
    return {"documents": 1}


def build_slowly(root, log):
    def run(folder):
        with open(log, "a") as file:
            file.write("x")
        time.sleep(1)
        return write_one(folder)
    artifact.build(root, "stage", "k", ORIGIN, run)


def build_and_hang(root):
    def run(folder):
        (folder / "half").write_text("half")
        (folder / "cut.tmp").write_text("cut")
        time.sleep(60)
    artifact.build(root, "stage", "k", ORIGIN, run)


def test_a_finished_stage_is_not_run_again(tmp_path):
    first = artifact.build(tmp_path, "stage", "k", ORIGIN, write_one)
    again = artifact.build(tmp_path, "stage", "k", ORIGIN, lambda folder: pytest.fail("ran again"))
    assert again.manifest == first.manifest


def test_the_manifest_names_every_file_with_its_hash(tmp_path):
    built = artifact.build(tmp_path, "stage", "k", ORIGIN, write_one)
    assert set(built.manifest["files"]) == {"a.txt", "logs/time.txt"}
    assert built.manifest["files"]["a.txt"] == {"bytes": 3, "sha256": artifact.sha256_file(built.path / "a.txt")}
    assert built.manifest["counts"] == {"documents": 1}
    assert built.manifest["versions"]["python"]


def test_timings_under_logs_do_not_change_the_content_digest(tmp_path):
    one = artifact.build(tmp_path, "stage", "one", ORIGIN, write_one)
    two = artifact.build(tmp_path, "stage", "two", ORIGIN, write_one)
    assert one.manifest["files"]["logs/time.txt"] != two.manifest["files"]["logs/time.txt"]
    assert one.manifest["digest"] == two.manifest["digest"]


def test_a_failure_leaves_no_finished_artifact_and_the_rerun_continues(tmp_path):
    def fail(folder):
        (folder / "part.txt").write_text("part")
        raise UserError("no")
    with pytest.raises(UserError):
        artifact.build(tmp_path, "stage", "k", ORIGIN, fail)
    assert artifact.find(tmp_path, "stage", "k") is None

    def go_on(folder):
        assert (folder / "part.txt").read_text() == "part"
        return {}
    assert artifact.build(tmp_path, "stage", "k", ORIGIN, go_on).manifest["continued"]


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_a_damaged_input_is_named_before_it_is_read(tmp_path, damage):
    built = artifact.build(tmp_path, "stage", "k", ORIGIN, write_one)
    path = built.path / "a.txt"
    if damage == "flip":
        path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    elif damage == "truncate":
        path.write_bytes(b"")
    else:
        path.unlink()
    with pytest.raises(UserError, match=r"a\.txt"):
        built.verify()


def test_two_runs_at_once_build_once(tmp_path):
    spawn = multiprocessing.get_context("fork")
    processes = [spawn.Process(target=build_slowly, args=(tmp_path, tmp_path / "log")) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert (tmp_path / "log").read_text() == "x"


def test_a_killed_run_leaves_no_lock_and_its_temporary_files_are_removed(tmp_path):
    process = multiprocessing.get_context("fork").Process(target=build_and_hang, args=(tmp_path,))
    process.start()
    half = tmp_path / "stage" / "k.partial" / "half"
    for _ in range(500):
        if half.exists() and (half.parent / "cut.tmp").exists():
            break
        time.sleep(0.01)
    with pytest.raises(BlockingIOError), artifact.locked(tmp_path / ".locks" / "stage-k", wait=False):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    with artifact.locked(tmp_path / ".locks" / "stage-k", wait=False):
        pass
    built = artifact.build(tmp_path, "stage", "k", ORIGIN, write_one)
    assert (built.path / "half").exists()
    assert not (built.path / "cut.tmp").exists()


def test_raw_files_count_by_content_not_by_time(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("가")
    before = artifact.digest_files([("a", path)], tmp_path)
    os.utime(path, ns=(0, 0))
    assert artifact.digest_files([("a", path)], tmp_path) == before
    assert artifact.digest_files([("another role", path)], tmp_path) != before
    path.write_text("나")
    assert artifact.digest_files([("a", path)], tmp_path) != before


def test_the_cache_spares_hashing_a_file_again(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("가")
    artifact.digest_files([("a", path)], tmp_path)
    cache = json.loads((tmp_path / ".digests.json").read_text())
    (tmp_path / ".digests.json").write_text(json.dumps(dict.fromkeys(cache, "from the cache")))
    assert artifact.digest_files([("a", path)], tmp_path) == [["a", "from the cache"]]


def test_a_missing_raw_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"gone\.txt"):
        artifact.digest_files([("a", tmp_path / "gone.txt")], tmp_path)


def test_the_link_of_a_preset_moves_to_the_current_artifact(tmp_path):
    for key in ("one", "two"):
        built = artifact.build(tmp_path, "stage", key, ORIGIN, write_one)
        artifact.link(tmp_path, "demo", built, "stage")
        assert artifact.linked(tmp_path, "demo", "stage").path.name == key


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"digest": "x", "files": {}}'])
def test_a_damaged_or_missing_manifest_is_named_before_anything_is_built(tmp_path, content):
    built = artifact.build(tmp_path, "stage", "k", ORIGIN, write_one)
    path = built.path / "manifest.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(UserError, match=r"manifest\.json"):
        artifact.build(tmp_path, "stage", "k", ORIGIN, lambda folder: pytest.fail("built again"))


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"a": 5}', '{"a": [1, 2]}'])
def test_a_damaged_cache_of_digests_is_only_a_cache(tmp_path, content):
    path = tmp_path / "a.txt"
    path.write_text("가")
    (tmp_path / ".digests.json").write_text(content.replace('"a"', f'"{path}"'))
    assert artifact.digest_files([("a", path)], tmp_path) == [["a", artifact.sha256_file(path)]]
