"""The stage contract: what is built once, what a failure leaves, what damage is told."""

import errno
import fcntl
import json
import multiprocessing
import os
import signal
import time

import pytest

from corpora.errors import UserError
from pipeline.artifacts import store
from pipeline.artifacts.files import sha256_file
from pipeline.artifacts.locks import locked
from tests.pipeline.artifacts.stage_of_one_file import ORIGIN, write_one


def refuse_to_run(folder):
    pytest.fail("ran again")


def build_slowly(root, log):
    def run(folder):
        with open(log, "a") as file:
            file.write("x")
        time.sleep(1)
        return write_one(folder)

    store.build(root, "stage", "k", ORIGIN, run)


def build_and_hang(root):
    def run(folder):
        (folder / "half").write_text("half")
        (folder / "cut.tmp").write_text("cut")
        time.sleep(60)
        return {}

    store.build(root, "stage", "k", ORIGIN, run)


def test_a_finished_stage_is_not_run_again(tmp_path):
    first = store.build(tmp_path, "stage", "k", ORIGIN, write_one)
    again = store.build(tmp_path, "stage", "k", ORIGIN, refuse_to_run)
    assert again.manifest == first.manifest


def test_the_manifest_names_every_file_with_its_hash(tmp_path):
    built = store.build(tmp_path, "stage", "k", ORIGIN, write_one)
    assert set(built.manifest["files"]) == {"a.txt", "logs/time.txt"}
    wanted = {"bytes": 3, "sha256": sha256_file(built.path / "a.txt")}
    assert built.manifest["files"]["a.txt"] == wanted
    assert built.manifest["counts"] == {"documents": 1}
    assert built.manifest["versions"]["python"]


def test_scratch_is_no_part_of_the_artifact(tmp_path):
    def run(folder):
        (folder / "scratch").mkdir()
        (folder / "scratch" / "work").write_text("work")
        return write_one(folder)

    built = store.build(tmp_path, "stage", "k", ORIGIN, run)
    assert not (built.path / "scratch").exists()
    assert "scratch/work" not in built.manifest["files"]


def test_timings_under_logs_do_not_change_the_content_digest(tmp_path):
    one = store.build(tmp_path, "stage", "one", ORIGIN, write_one)
    two = store.build(tmp_path, "stage", "two", ORIGIN, write_one)
    assert one.manifest["files"]["logs/time.txt"] != two.manifest["files"]["logs/time.txt"]
    assert one.manifest["digest"] == two.manifest["digest"]


def test_a_failure_leaves_no_finished_artifact_and_the_rerun_continues(tmp_path):
    def fail(folder):
        (folder / "part.txt").write_text("part")
        raise UserError("no")

    with pytest.raises(UserError):
        store.build(tmp_path, "stage", "k", ORIGIN, fail)
    assert store.find(tmp_path, "stage", "k") is None

    def go_on(folder):
        assert (folder / "part.txt").read_text() == "part"
        return {}

    assert store.build(tmp_path, "stage", "k", ORIGIN, go_on).manifest["continued"]


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_a_damaged_input_is_named_before_it_is_read(tmp_path, damage):
    built = store.build(tmp_path, "stage", "k", ORIGIN, write_one)
    path = built.path / "a.txt"
    raw = path.read_bytes()
    if damage == "flip":
        path.write_bytes(bytes([raw[0] ^ 1]) + raw[1:])
    elif damage == "truncate":
        path.write_bytes(b"")
    else:
        path.unlink()
    with pytest.raises(UserError, match=r"a\.txt"):
        built.verify()


def test_two_runs_at_once_build_once(tmp_path):
    fork = multiprocessing.get_context("fork")
    log = tmp_path / "log"
    processes = [fork.Process(target=build_slowly, args=(tmp_path, log)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert log.read_text() == "x"


def test_a_killed_run_leaves_no_lock_and_its_temporary_files_are_removed(tmp_path):
    process = multiprocessing.get_context("fork").Process(target=build_and_hang, args=(tmp_path,))
    process.start()
    partial = tmp_path / "stage" / "k.partial"
    for _ in range(500):
        if (partial / "half").exists() and (partial / "cut.tmp").exists():
            break
        time.sleep(0.01)
    lock = tmp_path / ".locks" / "stage-k"
    with pytest.raises(BlockingIOError), locked(lock, wait=False):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    with locked(lock, wait=False):
        pass
    built = store.build(tmp_path, "stage", "k", ORIGIN, write_one)
    assert (built.path / "half").exists()
    assert not (built.path / "cut.tmp").exists()


def test_a_file_system_without_locks_is_told_before_anything_is_built(tmp_path, monkeypatch):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(UserError, match=r"stage-k: this file system has no locks .*mount it with"):
        store.build(tmp_path, "stage", "k", ORIGIN, refuse_to_run)


def test_the_link_of_a_preset_moves_to_the_current_artifact(tmp_path):
    for key in ("one", "two"):
        built = store.build(tmp_path, "stage", key, ORIGIN, write_one)
        store.link(tmp_path, "demo", built, "stage")
        assert store.find_linked(tmp_path, "demo", "stage").path.name == key


def test_a_stage_that_a_preset_has_not_built_is_named_with_its_command(tmp_path):
    with pytest.raises(UserError, match="make tokenizer PRESET=demo"):
        store.find_linked(tmp_path, "demo", "tokenizer")


@pytest.mark.parametrize("content", [None, "", "{", "[]", json.dumps({"digest": "x", "files": {}})])
def test_a_damaged_or_missing_manifest_is_named_before_anything_is_built(tmp_path, content):
    built = store.build(tmp_path, "stage", "k", ORIGIN, write_one)
    path = built.path / "manifest.json"
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(UserError, match=r"manifest\.json"):
        store.build(tmp_path, "stage", "k", ORIGIN, refuse_to_run)
