"""The limits that keep the project readable, and what may not be in it."""
import re
from pathlib import Path

import pytest

from tests.conftest import PROJECT

PACKAGES = ("corpora", "tokenizer", "pipeline")
PRODUCT = sorted(path for package in PACKAGES for path in (PROJECT / package).rglob("*.py"))
NEVER = {
    "a pickle": r"import pickle|torch\.load\(|joblib\.load|allow_pickle=True|weights_only=False|pickle\.load",
    "code from a model's folder": r"trust_remote_code\s*=\s*True",
    "unsafe weights": r"use_safetensors=False",
}


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_the_product_stays_under_5000_lines_and_every_file_under_300():
    assert sum(len(lines_of(path)) for path in PRODUCT) < 5000
    assert not [path for path in PRODUCT if len(lines_of(path)) > 300]


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_file_opens_with_what_lives_there(path):
    assert not lines_of(path) or lines_of(path)[0].startswith('"""')


@pytest.mark.parametrize("what", NEVER)
def test_the_product_never_reads(what):
    assert not [path for path in PRODUCT if re.search(NEVER[what], path.read_text(encoding="utf-8"))]


def test_packages_import_downwards_only():
    for package, above in (("corpora", "tokenizer|pipeline"), ("tokenizer", "pipeline")):
        for path in (PROJECT / package).rglob("*.py"):
            assert not re.search(rf"^\s*(from|import) ({above})\b", path.read_text(encoding="utf-8"), re.M), path
