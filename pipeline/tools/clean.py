"""`make clean`: removes unfinished work that no running command holds; finished artifacts are never touched."""
import shutil

from pipeline.artifact import is_locked, lock_path, locked
from pipeline.tools.status import megabytes


def run(arguments, preset) -> int:
    root = arguments.artifacts
    for partial in sorted(root.glob("*/*.partial")):
        lock = lock_path(root, partial.parent.name, partial.name.removesuffix(".partial"))
        if is_locked(lock):
            print(f"{partial}: a command is working on it; left alone")
            continue
        with locked(lock):
            print(f"removing {partial} ({megabytes(partial)})")
            shutil.rmtree(partial)
    return 0
