"""`python -m tests.size`: how large the product is, its largest file, longest function and widest
line. tests/test_house.py holds them to their limits."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parent.parent
PACKAGES = ("corpora", "tokenizer", "pipeline")


class Measured(NamedTuple):
    """A number and where it was found."""

    size: int
    place: str


def python_files(*folders: str) -> list[Path]:
    """Every Python file under these folders of the project."""
    return sorted(path for folder in folders for path in (PROJECT / folder).rglob("*.py"))


def lines_of(path: Path) -> list[str]:
    """A file's lines."""
    return path.read_text(encoding="utf-8").splitlines()


def file_sizes(*folders: str) -> list[Measured]:
    """Lines of each file, the longest first."""
    return sorted(
        (
            Measured(len(lines_of(path)), str(path.relative_to(PROJECT)))
            for path in python_files(*folders)
        ),
        reverse=True,
    )


def function_sizes(*folders: str) -> list[Measured]:
    """Lines of each function, the longest first."""
    return sorted(
        (found for path in python_files(*folders) for found in _functions(path)), reverse=True
    )


def _functions(path: Path) -> Iterator[Measured]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            where = f"{path.relative_to(PROJECT)}:{node.lineno} {node.name}"
            yield Measured(node.end_lineno - node.lineno + 1, where)


def widest_line(*folders: str) -> Measured:
    """Columns of the widest line."""
    return max(
        Measured(len(line), f"{path.relative_to(PROJECT)}:{number}")
        for path in python_files(*folders)
        for number, line in enumerate(lines_of(path), 1)
    )


def main() -> None:
    """Print the product's measures."""
    files = file_sizes(*PACKAGES)
    function = function_sizes(*PACKAGES)[0]
    widest = widest_line(*PACKAGES, "tests")
    print(f"product: {sum(found.size for found in files):,} raw lines of Python")
    print(f"largest file: {files[0].size} lines, {files[0].place}")
    print(f"longest function: {function.size} lines, {function.place}")
    print(f"widest line, tests included: {widest.size} columns, {widest.place}")


if __name__ == "__main__":
    main()
