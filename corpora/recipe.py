"""What makes up a corpus: recipes, read strictly from TOML (recipe_keys.toml says what they may hold), and their files.
Only the standard library is imported: a stage's key needs this module. Reading text is sources.py's job."""
import glob
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from corpora import UserError, from_table, klue, named_file, read_toml, require, settings_class

RECIPES = Path(__file__).parent / "recipes"
SHARD_BYTES = 8 << 20  # on disk, up to which neighbouring small files share a shard
KEYS = read_toml(Path(__file__).with_name("recipe_keys.toml"))
Recipe, Source, Evaluation = (settings_class(name.title(), __name__, keys) for name, keys in KEYS.items())
"""A corpus; one of its sources, in order of precedence (of two equal documents the first one's stays); and a KLUE split
that training text must not hold, whatever the models are evaluated on. What they hold stands in recipe_keys.toml."""


class Shard(NamedTuple):
    """The unit of work: some files of one source, or one of the equal parts of a Hub dataset."""
    index: int
    source: Source
    files: tuple[tuple[Path, str], ...] = ()
    part: int = 0
    parts: int = 1

    name = property(lambda self: f"{self.source.name}-{self.index:05d}")


def load_recipe(name_or_path: str) -> Recipe:
    """A recipe by its name or a .toml path; raises UserError that names the file, the key and the nearest known one."""
    path = named_file("recipe", name_or_path, RECIPES)
    table = read_toml(path)
    for key, cls, least in (("source", Source, 1), ("evaluation", Evaluation, 0)):
        blocks = table.get(key, [])
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks) or len(blocks) < least:
            raise UserError(f"{path}: needs [[{key}]] tables, and at least one [[source]].")
        table[key] = [from_table(cls, block, f"{path}, {key} {index}") for index, block in enumerate(blocks, 1)]
    recipe = from_table(Recipe, table, str(path))
    for each in (*recipe.source, *recipe.evaluation):
        require(each.revision not in ("main", "master", "refs/convert/parquet"),
                f"{path}: revision {each.revision!r} is a branch: give a commit hash or a tag.")
    names = [source.name for source in recipe.source]
    for source in recipe.source:
        where = f"{path}, source {source.name!r}"
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", source.name) or names.count(source.name) > 1:
            raise UserError(f"{where}: needs lower-case letters, digits and hyphens, and no two the same name.")
        needed = ("dataset", "subset", "revision") if source.kind == "hub" else ("paths",)
        require(all(getattr(source, key) for key in needed),
                f"{where}: a source of kind {source.kind} needs {', '.join(needed)}.")
    return recipe


def input_files(recipe: Recipe, data_root: Path | None) -> list[tuple[str, Path]]:
    """Every local file that the recipe reads and its role, in a fixed order; raises UserError if one isn't there."""
    texts = [(f"{each.name}: {label}", path) for each in recipe.source for path, label in source_files(each, data_root)]
    return texts + [(f"evaluation {each.task} {each.split}: {path.name}", path) for each in recipe.evaluation
                    for path in klue.input_files(evaluation_folder(each, data_root), each.task, (each.split,))]


def evaluation_folder(evaluation: Evaluation, data_root: Path | None) -> str:
    """What klue.load_rows takes for it: hub, sample, or the folder under DATA=."""
    if evaluation.data in ("hub", "sample") or Path(evaluation.data).is_absolute():
        return evaluation.data
    require(data_root, f"the recipe looks for the text of {evaluation.task} in {evaluation.data!r} under a folder of "
                       "yours: give it with DATA=folder.")
    return str(data_root / evaluation.data)


def source_files(source: Source, data_root: Path | None) -> list[tuple[Path, str]]:
    """One source's files and the names to report them under, which don't depend on where the data lies."""
    root, label = data_root, ""
    if source.kind == "konlpy":
        package = importlib.util.find_spec("konlpy").origin  # finds the folder without importing the package
        root, label = Path(package).parent / "data" / "corpus", "konlpy/"
    files = {}
    for pattern in source.paths if source.kind != "hub" else ():
        require(root is None or root.is_dir(), f"DATA={root}: no such folder.")
        require(root or Path(pattern).is_absolute(),
                f"source {source.name!r} reads {pattern!r} in a folder of yours: give it with DATA=folder.")
        paths = sorted(Path(root or "/", match) for match in glob.glob(pattern, root_dir=root, recursive=True))
        found = {path: label + path.relative_to(root).as_posix() if root and path.is_relative_to(root) else path.name
                 for path in paths if path.is_file()}
        require(found, f"source {source.name!r}: no file matches {pattern!r} under {root or '/'}. Check DATA= and the "
                       "source's paths.")
        files |= found
    return list(files.items())


def make_shards(recipe: Recipe, data_root: Path | None, hub_parts: Callable[[Source], int]) -> list[Shard]:
    """Cut a recipe into shards in source order, the same ones however many workers there are."""
    found = []
    for source in recipe.source:
        parts = hub_parts(source) if source.kind == "hub" else 0
        found += [(source, (), part, parts) for part in range(parts)]
        groups, room = [], -1
        for path, label in source_files(source, data_root):
            file_format(source, path)  # an unknown suffix stops the run here, not after an hour
            if path.stat().st_size > room:
                groups.append([])
                room = SHARD_BYTES
            room -= path.stat().st_size
            groups[-1].append((path, label))
        found += [(source, tuple(group)) for group in groups]
    return [Shard(index, *each) for index, each in enumerate(found)]


def file_format(source: Source, path: Path) -> str:
    """The source's format, or the one that the file's suffix says."""
    suffix = re.search(r"\.(\w+)(\.(gz|bz2|xz|zst))?$", path.name.lower())
    known, other = KEYS["source"]["format"]["among"][1:], {"json": "jsonl", "ndjson": "jsonl", "markdown": "md"}
    name = source.format or (suffix and other.get(suffix[1], suffix[1]))
    require(name in known, f"{path}: format unknown: set format in source {source.name!r}: one of {', '.join(known)}.")
    return name
