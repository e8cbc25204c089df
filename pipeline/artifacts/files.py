"""Files that hold all of what they should, or don't exist: written under another name, brought to
the disk, and renamed. Only the standard library is imported here."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync(path: Path) -> None:
    """Bring a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(temporary: Path, final: Path) -> None:
    """Give a finished file its final name.

    Its bytes reach the disk first, so the name never holds half a file.
    """
    fsync(temporary)
    temporary.replace(final)
    fsync(final.parent)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which gets this name, in the place of another, when all is
    written."""
    unfinished = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    yield unfinished
    for path in (*unfinished.rglob("*"), unfinished):
        fsync(path)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    fsync(folder.parent)


def write_text(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    publish(temporary, path)


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """The value in a file of JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def append_json(path: Path, **values: object) -> None:
    """Append the values to a file of JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(values, ensure_ascii=False) + "\n")
