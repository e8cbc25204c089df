"""The stage contract: keys, locks, manifests, and the folders that finished work lives in. A key says what an artifact
is made from; `KEY.partial` is work under way; `manifest.json`, written last, says that the work is complete. Only the
standard library is imported here, so that an up-to-date stage returns at once."""
import fcntl
import hashlib
import json
import os
import re
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from corpora import failing, require

MANIFEST = "manifest.json"
SCRATCH = "scratch/"  # in a partial artifact, what a rerun continues from; no part of the finished one
RECORDED_PACKAGES = ("torch", "transformers", "tokenizers", "sentencepiece", "datasets", "konlpy", "mecab-python3",
                     "numpy", "pyarrow", "scikit-learn", "ftfy")


class Artifact(NamedTuple):
    """A finished folder of one stage."""
    path: Path
    manifest: dict

    def verify(self) -> Path:
        """The folder, if every file has the manifest's size and SHA-256; else UserError names the first that hasn't."""
        for name, entry in self.manifest["files"].items():
            path = self.path / name
            require(path.is_file() and path.stat().st_size == entry["bytes"] and sha256_file(path) == entry["sha256"],
                    f"{path}: missing or damaged: it isn't what the stage wrote (SHA-256 in {MANIFEST}). "
                    f"Delete {self.path} and run make again.")
        return self.path


def sha256_file(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(value: object) -> str:
    """SHA-256 of a JSON value, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def replace(temporary: Path, final: Path) -> None:
    """Give a finished file its final name: its bytes reach the disk first, so the name never holds half a file."""
    fsync(temporary)
    os.replace(temporary, final)
    fsync(final.parent)


def fsync(path: Path) -> None:
    """Of a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    replace(temporary, path)


def write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def append_json(path: Path, **values) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(values, ensure_ascii=False) + "\n")


def write_card(path: Path, template: str, /, **values) -> None:
    """A page from the template cards/TEMPLATE.md; raises what jinja2 raises for a value that isn't given."""
    import jinja2
    pages = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent / "cards"), trim_blocks=True,
                               lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    pages.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    pages.filters |= {"commas": "{:,}".format, "fixed": lambda value, digits=2: f"{value:,.{digits}f}",
                      "score": lambda value: "-" if value is None else f"{value:.1f}", "one_line": one_line,
                      "signed": "{:+.1f}".format,
                      "quoted": lambda text: json.dumps(text, ensure_ascii=False), "aligned": aligned}
    write_text(path, pages.get_template(f"{template}.md").render(**values))


def one_line(text: str, length: int = 100) -> str:
    """The beginning of a text, fit for a list or a table."""
    return " ".join(text[:length].split()).replace("|", "\\|") + ("…" if len(text) > length else "")


def aligned(table: str) -> str:
    """A Markdown table whose columns are as wide as their widest cell, for the screen."""
    header, _, *rows = ([cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.strip().splitlines())
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    rows = header, ["-" * width for width in widths], *rows
    return "\n".join(f"| {' | '.join(map(str.ljust, row, widths))} |" for row in rows)


def digest_files(files: list[tuple[str, Path]], root: Path) -> list[list[str]]:
    """[role, SHA-256] of raw input files, given as (role, path). Digests are cached under path, size and modification
    time in `root`, which only spares re-hashing. Raises UserError for a file that isn't there."""
    store, cache = root / ".digests.json", {}
    with suppress(FileNotFoundError, ValueError, TypeError):
        cache = dict(json.loads(store.read_text(encoding="utf-8")))
    found, num_known = [], len(cache)
    for role, path in files:
        require(path.exists(), f"{path}: no such file.")
        status = path.stat()
        name = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
        if name not in cache:
            cache[name] = sha256_file(path)
        found.append([role, cache[name]])
    if len(cache) > num_known:
        write_text(store, json.dumps(cache))
    return found


def find(root: Path, stage: str, key: str) -> Artifact | None:
    """The finished artifact of this stage and key, or None."""
    path = root / stage / key
    if not path.is_dir():
        return None
    with failing(f"{path / MANIFEST}: missing or damaged", f"Delete {path} and run make again.",
                 (FileNotFoundError, ValueError, KeyError, TypeError)):
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        if (manifest["key"], manifest["digest"]) != (key, content_digest(manifest["files"])):
            raise ValueError("its key or digest isn't that of its files")
    return Artifact(path, manifest)


def content_digest(files: dict) -> str:
    """What later stages' keys count: every file's SHA-256, but for logs/ and reports, which hold timings."""
    return digest_of({name: row["sha256"] for name, row in files.items() if not name.startswith(("logs/", "report."))})


def link(root: Path, preset: str, artifact: Artifact, stage: str) -> None:
    pointer = root / preset / stage
    target = os.path.relpath(artifact.path, pointer.parent)
    if pointer.is_symlink() and os.readlink(pointer) == target:
        return
    pointer.parent.mkdir(parents=True, exist_ok=True)
    temporary = pointer.with_name(f".{stage}.{os.getpid()}.tmp")
    temporary.symlink_to(target)
    os.replace(temporary, pointer)


def linked(root: Path, preset: str, stage: str) -> Artifact:
    """The artifact that artifacts/PRESET/STAGE points at; raises UserError when there's none."""
    target = (root / preset / stage).resolve()
    found = find(root, stage, target.name)
    require(found, f"{root / preset / stage}: nothing there yet. Run `make {stage} PRESET={preset}` first.")
    return found


@contextmanager
def locked(path: Path, shared: bool = False, waiting: str = "", wait: bool = True) -> Iterator[None]:
    """Hold a lock file: wait for it, or raise BlockingIOError. The kernel drops it with the process: none is stale."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise
            if waiting:
                print(waiting, flush=True)
            fcntl.flock(file, kind)
        yield


def build(root: Path, stage: str, key: str, origin: dict, run: Callable, shared: bool = False) -> Artifact:
    """Run one stage into its artifact folder, or return what a run before left there. `origin` says what the key was
    made from (settings, inputs' digests, version); `run` gets the partial folder and returns counts. Raises what `run`
    raises: the partial folder then stays, and a rerun with the same key continues it. `shared`: other processes may
    work in the partial folder, too; they lock their shards (engine.py)."""
    final = root / stage / key
    partial = root / stage / f"{key}.partial"
    with locked(root / ".locks" / f"{stage}-{key}", shared, f"{stage}: another run is building {key}; waiting for it."):
        if finished := find(root, stage, key):
            return finished
        continued = partial.is_dir()
        partial.mkdir(parents=True, exist_ok=True)
        for leftover in () if shared else partial.rglob("*.tmp"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        print(f"{stage}: {'continuing' if continued else 'building'} {key}", flush=True)
        start = time.monotonic()
        counts = run(partial)
        files = {}
        for path in sorted(filter(Path.is_file, partial.rglob("*"))):
            if not path.is_relative_to(partial / SCRATCH):
                fsync(path)
                entry = {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
                files[path.relative_to(partial).as_posix()] = entry
        versions = {"python": sys.version.split()[0]} | {name: version(name) for name in RECORDED_PACKAGES}
        manifest = {
            "stage": stage, "key": key, **origin, "digest": content_digest(files), "counts": counts,
            "seconds": round(time.monotonic() - start, 2), "continued": continued, "peak_memory_mb": peak_memory_mb(),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "versions": versions, "files": files}
        write_json(partial / MANIFEST, manifest)
        os.rename(partial, final)
        fsync(final.parent)
        shutil.rmtree(final / SCRATCH, ignore_errors=True)  # only now: without a manifest a rerun needs what is in it
        return Artifact(final, manifest)


def peak_memory_mb() -> int:
    """Of this process; if it can be helped not ru_maxrss, in which Linux counts what the parent held at its start."""
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
