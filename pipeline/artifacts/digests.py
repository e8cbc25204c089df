"""What a stage's key counts: digests of settings, of raw files, and of finished artifacts. Only the
standard library is imported here."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from corpora.errors import require
from pipeline.artifacts.files import read_json, sha256_file, write_text

RawFiles = list[tuple[str, Path]]
"""Raw input files as (role, path): what the file is to the stage. In another role a file is another
input."""

CACHE = ".digests.json"
NOT_CONTENT = ("logs/", "report.")  # they hold timings


def digest_of(value: object) -> str:
    """The SHA-256 of a JSON value, independent of the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def content_digest(files: Mapping[str, Mapping[str, Any]]) -> str:
    """What later stages' keys count of an artifact: every file's SHA-256, but for logs and
    reports."""
    return digest_of(
        {name: row["sha256"] for name, row in files.items() if not name.startswith(NOT_CONTENT)}
    )


def digest_raw_files(files: RawFiles, root: Path) -> list[list[str]]:
    """[role, SHA-256] of raw input files.

    Digests are cached under path, size and modification time in `root`, which only spares
    re-hashing. Raises UserError for a file that isn't there.
    """
    store = root / CACHE
    cache: dict[str, str] = {}
    with suppress(FileNotFoundError, ValueError, TypeError):
        cache = dict(read_json(store))
    num_cached = len(cache)
    digests = []
    for role, path in files:
        require(path.exists(), f"{path}: no such file.")
        status = path.stat()
        name = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
        if name not in cache:
            cache[name] = sha256_file(path)
        digests.append([role, cache[name]])
    if len(cache) > num_cached:
        write_text(store, json.dumps(cache))
    return digests
