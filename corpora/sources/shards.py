"""The files that a recipe means, and the shards that its sources are cut into.

No text is read here, and nothing heavy is imported: a stage's key needs this module."""

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast, get_args

from corpora.errors import UserError, require
from corpora.paths import composed, escaped, match_paths
from corpora.recipe import Evaluation, FileFormat, Recipe, Source
from corpora.source_keys import require_archive_for_members, require_keys_of_format
from corpora.sources.recognise import recognise_file
from corpora.tasks import rows

SHARD_BYTES = 8 << 20  # on disk, up to which neighbouring small files share a shard
FORMATS: Final = tuple(name for name in get_args(FileFormat) if name)
OTHER_SUFFIXES: Final = {"ndjson": "jsonl", "markdown": "md", "xml": "mediawiki"}
SUFFIX: Final = re.compile(r"\.(\w+)(\.(gz|bz2|xz|zst))?$")
EXTRACTED_WIKI: Final = re.compile(r"(?:.*/)?wiki_\d{2,}(\.(gz|bz2|xz|zst))?")
"""WikiExtractor's files, which have no suffix."""
ARCHIVE: Final = re.compile(r"\.(zip|tar|tar\.(gz|bz2|xz|zst)|tgz|tbz2|txz)$")

LabelledFile = tuple[Path, str]
"""A file, and the name to report it under, which depends neither on where the data lies nor on the
normal form of its name there."""


@dataclass(frozen=True)
class Shard:
    """The unit of work: some files of one source, or one of the equal parts of a Hub data set."""

    index: int
    source: Source
    files: tuple[LabelledFile, ...] = ()
    part: int = 0
    num_parts: int = 1

    @property
    def name(self) -> str:
        """Its name in file names."""
        return f"{self.source.name}-{self.index:05d}"


def input_files(recipe: Recipe, data_root: Path | None) -> list[tuple[str, Path]]:
    """Return every local file that the recipe reads, as (role, path), in a fixed order.

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
            evaluation_folder(each, data_root),
            (evaluation_task(each, data_root),),
            (each.split,),
        )
    ]
    return texts + evaluations


def evaluation_folder(evaluation: Evaluation, data_root: Path | None) -> str:
    """Return what load_rows takes for an evaluation set: hub, sample, or the folder under DATA=;
    "" for a task of one's own, which says where its rows are."""
    if evaluation.data in ("", "hub", "sample"):
        return evaluation.data
    return _under_data(evaluation, evaluation.data, data_root)


def evaluation_task(evaluation: Evaluation, data_root: Path | None) -> str:
    """Return the name of an evaluation set's task, or its file under DATA=."""
    if not evaluation.task.endswith(".toml"):
        return evaluation.task
    return _under_data(evaluation, evaluation.task, data_root)


def _under_data(evaluation: Evaluation, path: str, data_root: Path | None) -> str:
    if Path(path).is_absolute():
        return path
    if data_root is None:
        raise UserError(
            f"the recipe looks for the text of {evaluation.task} in {path!r} under a folder of "
            "yours: give it with DATA=folder."
        )
    return str(data_root / path)


def source_files(source: Source, data_root: Path | None) -> list[LabelledFile]:
    """Return one source's files, pattern by pattern and each of them once.

    Raises UserError for a pattern that no file matches.
    """
    if source.kind == "hub":
        return []
    root = data_root
    prefix = ""
    if source.kind == "konlpy":
        root = _konlpy_corpora()
        prefix = "konlpy/"
    labels: dict[Path, str] = {}
    taken: set[str] = set()
    for pattern in source.paths:
        for path in _matching_files(source, pattern, root):
            if path in labels:
                continue
            name = path.name
            if root is not None and path.is_relative_to(root):
                name = prefix + path.relative_to(root).as_posix()
            label = composed(name)
            # Of two names that differ in their form the second is reported as it is.
            labels[path] = escaped(name) if label in taken else label
            taken.add(labels[path])
    return list(labels.items())


def _konlpy_corpora() -> Path:
    """The folder of KoNLPy's texts, found without importing the package."""
    package = importlib.util.find_spec("konlpy")
    if package is None or package.origin is None:
        raise UserError(
            "konlpy, which brings some of the recipe's text, isn't installed. Run `make install`."
        )
    return Path(package.origin).parent / "data" / "corpus"


def _matching_files(source: Source, pattern: str, root: Path | None) -> list[Path]:
    require(root is None or root.is_dir(), f"DATA={root}: no such folder.")
    require(
        root is not None or Path(pattern).is_absolute(),
        f"source {source.name!r} reads {pattern!r} in a folder of yours: give it with DATA=folder.",
    )
    paths = match_paths(pattern, root or Path("/"))
    files = [path for path in paths if path.is_file()]
    what = f"source {source.name!r}: no file matches {pattern!r} under {root or '/'}"
    folders = [path for path in paths if path.is_dir()]
    if folders and not files:
        inside = f"{pattern.rstrip('/')}/**/*.txt"
        raise UserError(f"{what}, only a folder ({folders[0]}): write {inside!r} or the like.")
    hint = ""
    if "[" in pattern:
        escaped = pattern.replace("[", "[[]")
        hint = f" In a pattern [ ] holds a choice of characters; a [ itself is written {escaped!r}."
    require(files, f"{what}. Check DATA= and the source's paths.{hint}")
    return files


def make_shards(
    recipe: Recipe, data_root: Path | None, hub_parts: Callable[[Source], int]
) -> list[Shard]:
    """Cut a recipe into shards in source order, the same ones however many workers there are.

    `hub_parts` says how many parts a Hub source has.
    """
    shards: list[Shard] = []
    for source in recipe.source:
        if source.kind == "hub":
            num_parts = hub_parts(source)
            for part in range(num_parts):
                shards.append(Shard(len(shards), source, part=part, num_parts=num_parts))
        for group in _group_small_files(source, data_root):
            shards.append(Shard(len(shards), source, tuple(group)))
    return shards


def _group_small_files(source: Source, data_root: Path | None) -> list[list[LabelledFile]]:
    groups: list[list[LabelledFile]] = []
    room = -1
    for path, label in source_files(source, data_root):
        is_packed = is_archive(path.name)
        require_archive_for_members(source, is_packed, label)
        if not is_packed:
            # An unknown suffix, or a key that doesn't apply, stops the run here, not after an hour.
            require_keys_of_format(source, file_format(source, path), label)
        num_bytes = path.stat().st_size
        if num_bytes > room:
            groups.append([])
            room = SHARD_BYTES
        room -= num_bytes
        groups[-1].append((path, label))
    return groups


def file_format(source: Source, path: Path) -> FileFormat:
    """Return the source's format, or the one that the file's name says.

    Raises UserError with what the file is, as far as its first bytes tell, if neither says one.
    """
    name = guess_format(source, path.name)
    if not name:
        kind = recognise_file(path)
        is_what = f"{kind.name}. {kind.advice}" if kind else "format unknown."
        raise UserError(
            f"{path}: {is_what} Else set format in source {source.name!r}: one of "
            f"{', '.join(FORMATS)}."
        )
    return name


def guess_format(source: Source, name: str) -> FileFormat:
    """Return the source's format, or the one that a file's name says; "" if that is unknown."""
    if source.format:
        return source.format
    if EXTRACTED_WIKI.fullmatch(name.lower()):
        return "wikiextractor"
    suffix = SUFFIX.search(name.lower())
    guessed = OTHER_SUFFIXES.get(suffix[1], suffix[1]) if suffix else ""
    return cast(FileFormat, guessed) if guessed in FORMATS else ""


def is_archive(name: str) -> bool:
    """Whether a file's name says that it holds others."""
    return bool(ARCHIVE.search(name.lower()))
