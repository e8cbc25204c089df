"""What makes up a corpus: recipes as frozen dataclasses, read strictly from TOML, and the files they name.

Only the standard library is imported: a stage's key needs this module. Reading text is sources.py's job.
"""
import difflib
import glob
import importlib.util
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import get_args

from corpora import UserError

RECIPES = Path(__file__).parent / "recipes"
KINDS = ("konlpy", "files", "hub")
FORMATS = ("txt", "md", "jsonl", "csv", "tsv", "parquet")
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
UNITS = ("file", "line", "block")
SPLITS = ("none", "article", "paragraph")
SHARD_BYTES = 8 << 20
"""Neighbouring small files share a shard up to this many bytes on disk."""


@dataclass(frozen=True)
class Source:
    """One source of a recipe: where its text is, under which licence, and what is done to it."""
    name: str
    """Name in reports and file names: lower-case letters, digits and hyphens."""
    kind: str
    """konlpy (corpora inside the KoNLPy package), files (under DATA=) or hub (a Hugging Face dataset)."""
    licence: str
    """Licence of the text, as its publisher states it."""
    paths: tuple[str, ...] = ()
    """Globs under DATA= (files) or under KoNLPy's corpus folder (konlpy)."""
    format: str = ""
    """txt, md, jsonl, csv, tsv or parquet; guessed from the file's suffix if empty."""
    unit: str = "file"
    """What one document is in a .txt file: the file, a line, or a block between blank lines."""
    text: str = "text"
    """Column or key that holds the text."""
    title: str = ""
    """Column or key that holds a title, put before a text that doesn't already start with it."""
    dataset: str = ""
    """Hub dataset, OWNER/NAME."""
    config: str = ""
    """Configuration of the Hub dataset."""
    subset: str = "train"
    """Split of the Hub dataset to read."""
    revision: str = ""
    """Commit hash or tag of the Hub dataset; a branch would change under us."""
    byte_budget: int = 0
    """UTF-8 bytes of raw text to read from the Hub, spread evenly over its files; 0 reads everything."""
    clean: tuple[str, ...] = ()
    """Names of the clean-ups in corpora/clean.py, in the order in which they run."""
    split: str = "none"
    """Where long texts are cut: none, article (lines that start with 제N조) or paragraph."""
    split_bytes: int = 4000
    """Bytes that a piece of a cut text has at most, unless one line is longer."""
    min_chars: int = 1
    """A document with fewer characters after cleaning is dropped."""
    max_chars: int = 10_000_000
    """A document with more characters is dropped."""
    min_hangul: float = 0.3
    """Least share of Hangul among the letters."""
    max_repeated_lines: float = 0.5
    """Greatest share of the characters in lines that stood earlier in the same document."""
    max_repetition: float = 0.95
    """Greatest share of the bytes that zlib saves: plain Korean prose is near 0.55."""
    max_bad_share: float = 0.01
    """Share of unreadable records above which the stage stops."""


@dataclass(frozen=True)
class Recipe:
    """A corpus: its sources in order of precedence (of two equal documents the first one stays)."""
    title: str
    """One line for the dataset card."""
    description: str
    """A paragraph for the dataset card."""
    validation_share: float
    """Share of each source's bytes that becomes validation text."""
    source: tuple[Source, ...]
    """The sources."""


@dataclass(frozen=True)
class Shard:
    """The unit of work: some files of one source, or one of the equal parts of a Hub dataset."""
    index: int
    source: Source
    files: tuple[tuple[Path, str], ...] = ()
    part: int = 0
    parts: int = 1

    @property
    def name(self) -> str:
        return f"{self.source.name}-{self.index:05d}"


def recipe_path(name_or_path: str) -> Path:
    """The file that a recipe's name stands for; raises UserError when there's none."""
    path = Path(name_or_path) if name_or_path.endswith(".toml") else RECIPES / f"{name_or_path}.toml"
    if not path.is_file():
        known = sorted(recipe.stem for recipe in RECIPES.glob("*.toml"))
        raise UserError(f"recipe {name_or_path!r}: there is no {path}.{nearest(name_or_path, known)} "
                        f"Give one of {', '.join(known)}, or the path of a .toml file.")
    return path


def load_recipe(name_or_path: str) -> Recipe:
    """Read a recipe by its name in corpora/recipes or by the path of a .toml file.

    Raises UserError that names the file, the key and the nearest known one.
    """
    path = recipe_path(name_or_path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid TOML: {error}") from None
    blocks = table.get("source")
    if not isinstance(blocks, list) or not blocks or not all(isinstance(block, dict) for block in blocks):
        raise UserError(f"{path}: needs at least one [[source]] table.")
    table["source"] = [_parse(Source, block, f"{path}, source {index}") for index, block in enumerate(blocks, 1)]
    recipe = _parse(Recipe, table, str(path))
    for source in recipe.source:
        _check(source, f"{path}, source {source.name!r}")
    names = [source.name for source in recipe.source]
    if len(set(names)) < len(names):
        raise UserError(f"{path}: two sources have the same name; each needs its own.")
    if not 0 <= recipe.validation_share < 1:
        raise UserError(f"{path}: validation_share is {recipe.validation_share}; give 0 or more, below 1.")
    return recipe


def input_files(recipe: Recipe, data_root: Path | None) -> list[Path]:
    """Every local file that the recipe reads, in a fixed order; raises UserError if a glob matches nothing."""
    return [path for source in recipe.source for path, _ in source_files(source, data_root)]


def source_files(source: Source, data_root: Path | None) -> list[tuple[Path, str]]:
    """One source's files and the names to report them under, which don't depend on where the data lies."""
    if source.kind == "hub":
        return []
    if source.kind == "konlpy":
        package = importlib.util.find_spec("konlpy")  # finds the folder without importing the package
        if package is None:
            raise UserError(f"source {source.name!r} reads corpora inside KoNLPy: pip install konlpy.")
        root, label = Path(package.origin).parent / "data" / "corpus", "konlpy/"
    else:
        root, label = data_root, ""
    files = []
    for pattern in source.paths:
        if root is None and not Path(pattern).is_absolute():
            raise UserError(f"source {source.name!r} reads {pattern!r} under a folder of yours: "
                            "give it with DATA=folder.")
        if root is not None and not root.is_dir():
            raise UserError(f"DATA={root}: no such folder.")
        matches = sorted(Path(match) for match in glob.glob(pattern, root_dir=root, recursive=True))
        matches = [match if root is None else root / match for match in matches]
        matches = [match for match in matches if match.is_file()]
        if not matches:
            raise UserError(f"source {source.name!r}: no file matches {pattern!r} under {root or '/'}. "
                            "Check DATA= and the source's paths.")
        files += [(match, label + match.relative_to(root).as_posix())
                  if root is not None and match.is_relative_to(root) else (match, match.name) for match in matches]
    return list(dict.fromkeys(files))


def make_shards(recipe: Recipe, data_root: Path | None, hub_parts: Callable[[Source], int]) -> list[Shard]:
    """Cut a recipe into shards in source order, the same ones however many workers there are."""
    shards = []
    for source in recipe.source:
        if source.kind == "hub":
            parts = hub_parts(source)
            shards += [Shard(0, source, part=part, parts=parts) for part in range(parts)]
            continue
        group, size = [], 0
        for path, label in source_files(source, data_root):
            file_format(source, path)  # an unknown suffix stops the run here, not after an hour
            if group and size + path.stat().st_size > SHARD_BYTES:
                shards.append(Shard(0, source, tuple(group)))
                group, size = [], 0
            group.append((path, label))
            size += path.stat().st_size
        shards.append(Shard(0, source, tuple(group)))
    return [replace(shard, index=index) for index, shard in enumerate(shards)]


def file_format(source: Source, path: Path) -> str:
    """The source's format, or the one that the file's suffix says."""
    if source.format:
        return source.format
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    guess = {"json": "jsonl", "ndjson": "jsonl", "markdown": "md"}
    name = suffixes[-1][1:] if suffixes else ""
    if (name := guess.get(name, name)) not in FORMATS:
        raise UserError(f"{path}: can't tell its format from its name: set format in source {source.name!r} "
                        f"to one of {', '.join(FORMATS)}.")
    return name


def nearest(word: str, known: list[str]) -> str:
    """' Did you mean ...?' for an unknown word, or nothing."""
    match = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean {match[0]!r}?" if match else ""


def _parse(cls: type, table: dict, where: str):
    known = {field.name: field for field in fields(cls)}
    for key in table:
        if key not in known:
            raise UserError(f"{where}: unknown key {key!r}.{nearest(key, list(known))}")
    values = {}
    for name, field in known.items():
        if name not in table:
            if name in cls.__dict__:  # a default
                continue
            raise UserError(f"{where}: {name!r} is missing.")
        value, wanted = table[name], field.type
        if get_args(wanted):
            value = tuple(value) if isinstance(value, list) else value
            fits = isinstance(value, tuple) and all(isinstance(item, get_args(wanted)[0]) for item in value)
        else:
            value = float(value) if wanted is float and type(value) is int else value
            fits = type(value) is wanted
        if not fits:
            kind = "a list of strings" if get_args(wanted) else wanted.__name__
            raise UserError(f"{where}: {name} = {table[name]!r} should be {kind}.")
        values[name] = value
    return cls(**values)


def _check(source: Source, where: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", source.name):
        raise UserError(f"{where}: name a source with lower-case letters, digits and hyphens.")
    for key, choices in (("kind", KINDS), ("format", ("", *FORMATS)), ("unit", UNITS), ("split", SPLITS)):
        if getattr(source, key) not in choices:
            value = getattr(source, key)
            raise UserError(f"{where}: {key} = {value!r} isn't one of {', '.join(filter(None, choices))}."
                            f"{nearest(value, list(choices))}")
    if source.kind == "hub" and not (source.dataset and source.revision and source.subset):
        raise UserError(f"{where}: a hub source needs dataset, subset and revision (a commit hash or a tag).")
    if source.kind == "hub" and source.revision in ("main", "master", "refs/convert/parquet"):
        raise UserError(f"{where}: revision {source.revision!r} is a branch: give a commit hash or a tag.")
    if source.kind != "hub" and not source.paths:
        raise UserError(f"{where}: needs paths.")
    if source.split_bytes < 100:
        raise UserError(f"{where}: split_bytes = {source.split_bytes} is too small: give 100 or more.")
