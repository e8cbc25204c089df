"""The pipeline's command, noting who hashes what: `python -m tests.pipeline.hashing FILE COMMAND
...` appends a line to FILE, with the process's number and the path, for each file hashed."""

import os
import sys
from pathlib import Path

from pipeline.artifacts import digests, files, store


def main() -> None:
    note = Path(sys.argv.pop(1)).absolute()
    sha256_file = files.sha256_file

    def noting(path: Path) -> str:
        with open(note, "a", encoding="utf-8") as file:
            file.write(f"{os.environ['RANK']} {path}\n")
        return sha256_file(path)

    digests.sha256_file = noting
    store.sha256_file = noting
    from pipeline.cli import main as run_command

    run_command()


if __name__ == "__main__":
    main()
