"""The folders that finished work lives in.

A key says what an artifact is made from; `KEY.partial` is work under way; `manifest.json`, written
last, says that the work is complete. Only the standard library is imported here, so that an
up-to-date stage returns at once.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from corpora.errors import UserError, as_user_error, require
from pipeline.artifacts.digests import content_digest
from pipeline.artifacts.files import fsync, read_json, sha256_file, write_json
from pipeline.artifacts.locks import locked
from pipeline.artifacts.manifest import MANIFEST, SCRATCH, Origin, describe_files, make_manifest


class Artifact(NamedTuple):
    """A finished folder of one stage."""

    path: Path
    manifest: dict[str, Any]

    def verify(self) -> Path:
        """Return the folder, if every file has the manifest's size and SHA-256.

        Raises UserError that names the first file that hasn't.
        """
        for name, entry in self.manifest["files"].items():
            path = self.path / name
            require(
                path.is_file()
                and path.stat().st_size == entry["bytes"]
                and sha256_file(path) == entry["sha256"],
                f"{path}: missing or damaged: it isn't what the stage wrote (SHA-256 in "
                f"{MANIFEST}). Delete {self.path} and run make again.",
            )
        return self.path


def find(root: Path, stage: str, key: str) -> Artifact | None:
    """Return the finished artifact of this stage and key, or None.

    Raises UserError for a damaged manifest.
    """
    path = root / stage / key
    if not path.is_dir():
        return None
    with as_user_error(
        f"{path / MANIFEST}: missing or damaged",
        f"Delete {path} and run make again.",
        (FileNotFoundError, ValueError, KeyError, TypeError),
    ):
        manifest = read_json(path / MANIFEST)
        if (manifest["key"], manifest["digest"]) != (key, content_digest(manifest["files"])):
            raise ValueError("its key or digest isn't that of its files")
    return Artifact(path, manifest)


def link(root: Path, preset: str, artifact: Artifact, stage: str) -> None:
    """Let artifacts/PRESET/STAGE point at this artifact."""
    pointer = root / preset / stage
    target = os.path.relpath(artifact.path, pointer.parent)
    if pointer.is_symlink() and str(pointer.readlink()) == target:
        return
    pointer.parent.mkdir(parents=True, exist_ok=True)
    temporary = pointer.with_name(f".{stage}.{os.getpid()}.tmp")
    temporary.symlink_to(target)
    temporary.replace(pointer)


def find_linked(root: Path, preset: str, stage: str, target: str = "") -> Artifact:
    """Return the artifact that artifacts/PRESET/STAGE points at.

    Raises UserError if there is none; `target` is the one of make's that builds it, if it isn't
    named like the stage.
    """
    pointer = root / preset / stage
    artifact = find(root, stage, pointer.resolve().name)
    if artifact is None:
        command = f"`make {target or stage} PRESET={preset}`"
        raise UserError(f"{pointer}: nothing there yet. Run {command} first.")
    return artifact


def build(
    root: Path,
    stage: str,
    key: str,
    origin: Origin,
    run: Callable[[Path], dict[str, Any]],
    shared: bool = False,
) -> Artifact:
    """Run one stage into its artifact folder, or return what an earlier run left there.

    `run` gets the partial folder and returns counts. What it raises passes through: the partial
    folder then stays, and a rerun with the same key continues it. With `shared` other processes may
    work in the partial folder, too; they lock their shards (executors/).
    """
    final = root / stage / key
    partial = root / stage / f"{key}.partial"
    lock = root / ".locks" / f"{stage}-{key}"
    with locked(lock, shared, f"{stage}: another run is building {key}; waiting for it."):
        if finished := find(root, stage, key):
            return finished
        continued = partial.is_dir()
        partial.mkdir(parents=True, exist_ok=True)
        if not shared:
            remove_half_written(partial)
        print(f"{stage}: {'continuing' if continued else 'building'} {key}", flush=True)
        start = time.monotonic()
        counts = run(partial)
        files = describe_files(partial)
        seconds = time.monotonic() - start
        manifest = make_manifest(stage, key, origin, counts, files, seconds, continued)
        write_json(partial / MANIFEST, manifest)
        partial.rename(final)
        fsync(final.parent)
        # Only now: without a manifest a rerun needs what is in it.
        shutil.rmtree(final / SCRATCH, ignore_errors=True)
        return Artifact(final, manifest)


def remove_half_written(folder: Path) -> None:
    """Remove what a killed run was still writing, under names that end in .tmp."""
    for leftover in folder.rglob("*.tmp"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
