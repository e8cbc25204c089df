"""The limits that keep the project readable, and what may not be in it."""

import re
from pathlib import Path

import pytest

from tests.size import (
    PACKAGES,
    PROJECT,
    file_sizes,
    function_sizes,
    lines_of,
    python_files,
    widest_line,
)

PRODUCT = python_files(*PACKAGES)
NEVER = {
    "a pickle": r"import pickle|torch\.load\(|joblib\.load|allow_pickle=True|weights_only=False|"
    r"pickle\.load",
    "code from a model's folder": r"trust_remote_code\s*=\s*True",
    "unsafe weights": r"use_safetensors=False",
}


def test_the_product_stays_under_19600_lines():
    assert sum(found.size for found in file_sizes(*PACKAGES)) < 19_600


def test_no_file_is_over_300_lines_and_no_function_over_50():
    assert [found for found in file_sizes(*PACKAGES) if found.size > 300] == []
    assert [found for found in function_sizes(*PACKAGES) if found.size > 50] == []


def test_no_line_is_over_100_columns():
    assert widest_line(*PACKAGES, "tests").size <= 100


def test_no_folder_holds_over_12_modules():
    folders = {path.parent for path in PRODUCT}
    modules = {
        folder: [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        for folder in folders
    }
    assert [folder for folder, paths in modules.items() if len(paths) > 12] == []


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_file_opens_with_what_lives_there(path: Path):
    assert lines_of(path)[0].startswith('"""')


@pytest.mark.parametrize("what", NEVER)
def test_the_product_never_reads(what: str):
    assert not [path for path in PRODUCT if re.search(NEVER[what], path.read_text("utf-8"))]


@pytest.mark.parametrize(
    "package, above", [("corpora", "tokenizer|pipeline"), ("tokenizer", "pipeline")]
)
def test_packages_import_downwards_only(package: str, above: str):
    imports = re.compile(rf"^\s*(from|import) ({above})\b", re.M)
    assert not [path for path in python_files(package) if imports.search(path.read_text("utf-8"))]


def test_no_package_imports_in_a_circle():
    """A module's imports at its top, followed, never come back to it."""
    graph = {module_of(path): imports_of(path) for path in PRODUCT}
    for module in graph:
        assert module not in reachable(graph, module), module


def module_of(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    text = path.read_text("utf-8")
    known = {module_of(each) for each in PRODUCT}
    found = set()
    for base, names in re.findall(r"^from ([\w.]+) import (\([^)]*\)|[^\n(]+)$", text, re.M):
        listed = re.findall(r"\w+", names)
        found |= {base, *(f"{base}.{name}" for name in listed)} & known
    found |= set(re.findall(r"^import ([\w.]+)", text, re.M)) & known
    return found - {module_of(path)}


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += graph.get(module, ())
    return seen
