"""What there is: `make status` (stages, keys, why each is stale, disk used), `make report` (all figures, read from the
manifests and never computed again), `make settings`, and `make clean`, which removes unfinished work."""
import shutil
from dataclasses import fields
from pathlib import Path

from pipeline import artifact
from pipeline.stages import STAGES, inputs_of, locate


def status(arguments, preset) -> None:
    root = arguments.artifacts
    print(f"{'stage':<10} {'key':<17} {'state':<10} {'size':>9}  why")
    for name in STAGES:
        key, origin, _ = locate(name, preset, arguments.data, root)
        current = artifact.find(root, name, (root / preset.name / name).resolve().name)  # None without the link
        size = why = ""
        if key is None:
            state, why = "waiting", f"needs {' and '.join(inputs_of(name, preset))} first"
        elif finished := artifact.find(root, name, key):
            state, size = "built", megabytes(finished.path)
        else:
            partial = root / name / f"{key}.partial"
            state, size = ("unfinished", megabytes(partial)) if partial.is_dir() else ("to build", "")
            why = "; ".join(differences(origin, current.manifest)) if current else "never built"
        print(f"{name:<10} {key or '-':<17} {state:<10} {size:>9}  {why}".rstrip())
    unfinished = megabytes(*root.glob("*/*.partial"))
    print(f"\ndisk used by {root}: {megabytes(root)}, of it unfinished work {unfinished} (make clean removes that)")


def differences(origin: dict, manifest: dict) -> list[str]:
    old, new = ({"stage version": each["version"], **each["settings"]} for each in (manifest, origin))
    reasons = [f"{key}: {old.get(key)} -> {new.get(key)}" for key in old | new if old.get(key) != new.get(key)]
    old, new = ({**each["inputs"], "raw input files": each["raw_files"]} for each in (manifest, origin))
    return reasons + [f"{key} changed" for key in old | new if old.get(key) != new.get(key)]


def megabytes(*folders: Path) -> str:
    paths = (path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return f"{sum(path.stat().st_size for path in paths) / 1e6:,.1f} MB"


def clean(arguments, preset) -> None:
    for partial in sorted(arguments.artifacts.glob("*/*.partial")):
        try:
            with artifact.locked(arguments.artifacts / ".locks" / f"{partial.parent.name}-{partial.stem}", wait=False):
                print(f"removing {partial} ({megabytes(partial)})")
                shutil.rmtree(partial)
        except BlockingIOError:
            print(f"{partial}: a command is working on it; left alone")


def settings(arguments, preset) -> None:
    for section, values in preset.items():
        for each in fields(values):
            note = "" if each.metadata["keyed"] else " (not part of the key)"
            print(f"{section}.{each.name}={getattr(values, each.name)}\n    {each.metadata['help']}{note}")


def report(arguments, preset) -> None:
    here = arguments.artifacts / preset.name
    found = {name: artifact.linked(arguments.artifacts, preset.name, name) for name in STAGES if (here / name).exists()}
    files = {"klue": "table.md", "prompt": "table.md", "tokenizer": "report.md", "corpus": "report.md"}
    pages = [(here / name / file).read_text(encoding="utf-8").strip() for name, file in files.items() if name in found]
    path = here / "report.md"
    artifact.write_card(path, "report", preset=preset.name, found=found, pages=pages)
    print(path.read_text(encoding="utf-8") + f"\nreport: {path}")
