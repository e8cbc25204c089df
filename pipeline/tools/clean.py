"""`make clean`: removes unfinished work that no running command holds; finished artifacts are never touched."""
import shutil

from pipeline.artifact import lock_path, locked
from pipeline.tools.status import megabytes


def run(arguments, preset) -> None:
    root = arguments.artifacts
    for partial in sorted(root.glob("*/*.partial")):
        try:
            with locked(lock_path(root, partial.parent.name, partial.name.removesuffix(".partial")), wait=False):
                print(f"removing {partial} ({megabytes(partial)})")
                shutil.rmtree(partial)
        except BlockingIOError:
            print(f"{partial}: a command is working on it; left alone")
