"""`make status`: the stages of a preset, their keys, why each is stale, and the disk they use."""
from pathlib import Path

from pipeline import artifact
from pipeline.stages import STAGES, inputs_of, locate


def run(arguments, preset) -> int:
    root = arguments.artifacts
    print(f"{'stage':<10} {'key':<17} {'state':<10} {'size':>9} {'seconds':>8}  why")
    for name in STAGES:
        key, origin, _ = locate(name, preset, arguments.data, root)
        pointer = root / preset.name / name
        current = artifact.find(root, name, pointer.resolve().name) if pointer.exists() else None
        if key is None:
            waits = [upstream for upstream in inputs_of(name, preset)]
            print(f"{name:<10} {'-':<17} {'waiting':<10} {'':>9} {'':>8}  needs {' and '.join(waits)} first")
            continue
        finished = artifact.find(root, name, key)
        partial = root / name / f"{key}.partial"
        if finished:
            seconds = f"{finished.manifest['seconds']:.0f}"
            print(f"{name:<10} {key:<17} {'built':<10} {megabytes(finished.path):>9} {seconds:>8}")
        else:
            state, size = ("unfinished", megabytes(partial)) if partial.is_dir() else ("to build", "")
            print(f"{name:<10} {key:<17} {state:<10} {size:>9} {'':>8}  {'; '.join(differences(origin, current and current.manifest))}")
    print(f"\ndisk used by {root}: {megabytes(root)}, of it unfinished work "
          f"{sum(size_of(path) for path in root.glob('*/*.partial')) / 1e6:,.1f} MB (make clean removes that)")
    return 0


def differences(origin: dict, manifest: dict | None) -> list[str]:
    """What changed between the artifact a preset points at and what would be built now."""
    if manifest is None:
        return ["never built"]
    reasons = []
    if origin["version"] != manifest["version"]:
        reasons.append(f"stage version {manifest['version']} -> {origin['version']}")
    for kind in ("settings", "inputs"):
        for key in sorted({*origin[kind], *manifest[kind]}):
            before, now = manifest[kind].get(key), origin[kind].get(key)
            if before != now:
                reasons.append(f"{key}: {before} -> {now}" if kind == "settings" else f"{key} changed")
    if origin["raw_files"] != manifest["raw_files"]:
        reasons.append("raw input files changed")
    return reasons


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def megabytes(folder: Path) -> str:
    return f"{size_of(folder) / 1e6:,.1f} MB"
