"""The files that a recipe means, and the shards that its sources are cut into.

No text is read here, and nothing heavy is imported: a stage's key needs this module."""

import glob
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, get_args

from corpora.errors import require
from corpora.recipe import Evaluation, FileFormat, Recipe, Source
from corpora.tasks import rows

SHARD_BYTES = 8 << 20  # on disk, up to which neighbouring small files share a shard
FORMATS = tuple(filter(None, get_args(FileFormat)))
OTHER_SUFFIXES = {"json": "jsonl", "ndjson": "jsonl", "markdown": "md"}


class Shard(NamedTuple):
    """The unit of work: some files of one source, or one of the equal parts of a Hub dataset."""

    index: int
    source: Source
    files: tuple[tuple[Path, str], ...] = ()  # and the names to report them under
    part: int = 0
    parts: int = 1

    @property
    def name(self) -> str:
        """Its name in file names."""
        return f"{self.source.name}-{self.index:05d}"


def input_files(recipe: Recipe, data_root: Path | None) -> list[tuple[str, Path]]:
    """Every local file that the recipe reads, as (role, path), in a fixed order.

    Raises UserError if one isn't there.
    """
    texts = [
        (f"{source.name}: {label}", path)
        for source in recipe.source
        for path, label in source_files(source, data_root)
    ]
    evaluations = [
        (f"evaluation {each.task} {each.split}: {path.name}", path)
        for each in recipe.evaluation
        for path in rows.input_files(
            evaluation_folder(each, data_root), (each.task,), (each.split,)
        )
    ]
    return texts + evaluations


def evaluation_folder(evaluation: Evaluation, data_root: Path | None) -> str:
    """What load_rows takes for it: hub, sample, or the folder under DATA=."""
    if evaluation.data in ("hub", "sample") or Path(evaluation.data).is_absolute():
        return evaluation.data
    require(
        data_root,
        f"the recipe looks for the text of {evaluation.task} in {evaluation.data!r} under a folder "
        "of yours: give it with DATA=folder.",
    )
    return str(data_root / evaluation.data)


def source_files(source: Source, data_root: Path | None) -> list[tuple[Path, str]]:
    """One source's files and the names to report them under, which don't depend on where the data
    lies."""
    if source.kind == "hub":
        return []
    root = data_root
    label = ""
    if source.kind == "konlpy":
        root = konlpy_corpora()
        label = "konlpy/"
    files = {}
    for pattern in source.paths:
        files |= _matching_files(source, pattern, root, label)
    return list(files.items())


def konlpy_corpora() -> Path:
    """The folder of KoNLPy's texts, found without importing the package."""
    package = importlib.util.find_spec("konlpy")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "data" / "corpus"


def _matching_files(source: Source, pattern: str, root: Path | None, label: str) -> dict[Path, str]:
    require(root is None or root.is_dir(), f"DATA={root}: no such folder.")
    require(
        root is not None or Path(pattern).is_absolute(),
        f"source {source.name!r} reads {pattern!r} in a folder of yours: give it with DATA=folder.",
    )
    matches = glob.glob(pattern, root_dir=root, recursive=True)
    paths = [path for path in sorted(Path(root or "/", match) for match in matches)]
    found = {path: _label_of(path, root, label) for path in paths if path.is_file()}
    require(
        found,
        f"source {source.name!r}: no file matches {pattern!r} under {root or '/'}. Check DATA= and "
        "the source's paths.",
    )
    return found


def _label_of(path: Path, root: Path | None, label: str) -> str:
    if root is not None and path.is_relative_to(root):
        return label + path.relative_to(root).as_posix()
    return path.name


def make_shards(
    recipe: Recipe, data_root: Path | None, hub_parts: Callable[[Source], int]
) -> list[Shard]:
    """Cut a recipe into shards in source order, the same ones however many workers there are.

    `hub_parts` says how many parts a Hub source has.
    """
    shards: list[Shard] = []
    for source in recipe.source:
        if source.kind == "hub":
            parts = hub_parts(source)
            shards += [Shard(len(shards) + part, source, (), part, parts) for part in range(parts)]
        for group in _group_small_files(source, data_root):
            shards.append(Shard(len(shards), source, tuple(group), 0, 0))
    return shards


def _group_small_files(source: Source, data_root: Path | None) -> list[list[tuple[Path, str]]]:
    groups: list[list[tuple[Path, str]]] = []
    room = -1
    for path, label in source_files(source, data_root):
        file_format(source, path)  # an unknown suffix stops the run here, not after an hour
        size = path.stat().st_size
        if size > room:
            groups.append([])
            room = SHARD_BYTES
        room -= size
        groups[-1].append((path, label))
    return groups


def file_format(source: Source, path: Path) -> str:
    """The source's format, or the one that the file's suffix says."""
    suffix = re.search(r"\.(\w+)(\.(gz|bz2|xz|zst))?$", path.name.lower())
    name = source.format
    if not name and suffix:
        name = OTHER_SUFFIXES.get(suffix[1], suffix[1])
    require(
        name in FORMATS,
        f"{path}: format unknown: set format in source {source.name!r}: one of "
        f"{', '.join(FORMATS)}.",
    )
    return name
