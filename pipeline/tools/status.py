"""`make status`: the stages of a preset, their keys, why each is stale, and the disk they use."""
from pathlib import Path

from pipeline import artifact
from pipeline.stages import STAGES, inputs_of, locate


def run(arguments, preset) -> None:
    root = arguments.artifacts
    print(f"{'stage':<10} {'key':<17} {'state':<10} {'size':>9}  why")
    for name in STAGES:
        key, origin, _ = locate(name, preset, arguments.data, root)
        pointer = root / preset.name / name
        current = artifact.find(root, name, pointer.resolve().name) if pointer.exists() else None
        size = why = ""
        if key is None:
            state, why = "waiting", f"needs {' and '.join(inputs_of(name, preset))} first"
        elif finished := artifact.find(root, name, key):
            state, size = "built", megabytes(finished.path)
        else:
            partial = root / name / f"{key}.partial"
            state, size = ("unfinished", megabytes(partial)) if partial.is_dir() else ("to build", "")
            why = "; ".join(differences(origin, current and current.manifest))
        print(f"{name:<10} {key or '-':<17} {state:<10} {size:>9}  {why}".rstrip())
    print(f"\ndisk used by {root}: {megabytes(root)}, of it unfinished work {megabytes(*root.glob('*/*.partial'))} "
          "(make clean removes that)")


def differences(origin: dict, manifest: dict | None) -> list[str]:
    """What changed between the artifact a preset points at and what would be built now."""
    if manifest is None:
        return ["never built"]
    old, new = ({"stage version": each["version"], **each["settings"]} for each in (manifest, origin))
    reasons = [f"{key}: {old.get(key)} -> {new.get(key)}" for key in old | new if old.get(key) != new.get(key)]
    old, new = ({**each["inputs"], "raw input files": each["raw_files"]} for each in (manifest, origin))
    return reasons + [f"{key} changed" for key in old | new if old.get(key) != new.get(key)]


def megabytes(*folders: Path) -> str:
    paths = (path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return f"{sum(path.stat().st_size for path in paths) / 1e6:,.1f} MB"
