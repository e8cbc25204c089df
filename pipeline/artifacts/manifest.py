"""manifest.json: what an artifact was made from, what came out, and what that cost."""

import re
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.artifacts.digests import content_digest
from pipeline.artifacts.files import fsync, sha256_file

MANIFEST = "manifest.json"
SCRATCH = "scratch"
"""Folder of a partial artifact that a rerun continues from; no part of the finished one."""

RECORDED_PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "sentencepiece",
    "datasets",
    "konlpy",
    "mecab-python3",
    "numpy",
    "pyarrow",
    "scikit-learn",
    "ftfy",
)


class Origin(NamedTuple):
    """What a key was made from, beside the stage's name."""

    version: int  # of the stage
    settings: dict[str, Any]
    inputs: dict[str, str]  # stage -> its artifact's content digest
    raw_files: list[list[str]]  # [role, SHA-256]


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file of a partial artifact but those in its scratch folder.

    The files reach the disk first.
    """
    files = {}
    for path in sorted(filter(Path.is_file, folder.rglob("*"))):
        if not path.is_relative_to(folder / SCRATCH):
            fsync(path)
            name = path.relative_to(folder).as_posix()
            files[name] = {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
    return files


def make_manifest(
    stage: str,
    key: str,
    origin: Origin,
    counts: dict[str, Any],
    files: dict[str, dict[str, Any]],
    seconds: float,
    continued: bool,
) -> dict[str, Any]:
    """Everything that is recorded of a finished artifact, as a JSON object."""
    versions = {name: version(name) for name in RECORDED_PACKAGES}
    return {
        "stage": stage,
        "key": key,
        **origin._asdict(),
        "digest": content_digest(files),
        "counts": counts,
        "seconds": round(seconds, 2),
        "continued": continued,
        "peak_memory_mb": peak_memory_mb(),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "versions": {"python": sys.version.split()[0]} | versions,
        "files": files,
    }


def peak_memory_mb() -> int:
    """The most memory that this process has held, in units of 2^20 bytes.

    Linux's ru_maxrss also counts what the parent held when it started this process, so
    /proc/self/status comes first.
    """
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) // 1024
    bits_below_a_megabyte = 20 if sys.platform == "darwin" else 10  # macOS counts bytes, others kB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> bits_below_a_megabyte
