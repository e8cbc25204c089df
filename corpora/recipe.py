"""What makes up a corpus: recipes as frozen dataclasses, read strictly from TOML, and the files they name.

Only the standard library is imported: a stage's key needs this module. Reading text is sources.py's job.
"""
import glob
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from corpora import UserError, from_table, klue, nearest, read_toml, setting

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
    name: str = setting(help="Name in reports and file names: lower-case letters, digits and hyphens.")
    kind: str = setting(
        help="konlpy (corpora inside the KoNLPy package), files (under DATA=) or hub (a Hugging Face dataset).",
        among=KINDS)
    licence: str = setting(help="Licence of the text, as its publisher states it.")
    paths: tuple[str, ...] = setting((), "Globs under DATA= (files) or under KoNLPy's corpus folder (konlpy).")
    format: str = setting("",
        "txt, md, jsonl, csv, tsv or parquet; guessed from the file's suffix if empty.", among=("", *FORMATS))
    unit: str = setting("file",
        "What one document is in a .txt file: the file, a line, or a block between blank lines.", among=UNITS)
    text: str = setting("text", "Column or key that holds the text.")
    title: str = setting("", "Column or key that holds a title, put before a text that doesn't already start with it.")
    id: str = setting("id", "Column or key that holds a row's name, which `only` looks at.")
    only: tuple[str, ...] = setting((),
        "Take only the rows whose name begins with one of these; the others aren't this source's.")
    dataset: str = setting("", "Hub dataset, OWNER/NAME.")
    config: str = setting("", "Configuration of the Hub dataset.")
    subset: str = setting("train", "Split of the Hub dataset to read.")
    revision: str = setting("", "Commit hash or tag of the Hub dataset; a branch would change under us.")
    byte_budget: int = setting(0,
        "UTF-8 bytes of raw text to read from the Hub, spread evenly over its files; 0 reads everything.", least=0)
    clean: tuple[str, ...] = setting((),
        "Names of clean-ups (corpora/cleanups.toml, clean.py or the recipe's own) in the order in which they run.")
    split: str = setting("none",
        "Where long texts are cut: none, article (lines that start with 제N조) or paragraph.", among=SPLITS)
    split_bytes: int = setting(4000,
        "Bytes that a piece of a cut text has at most, unless one line is longer.", least=100)
    min_chars: int = setting(1, "A document with fewer characters after cleaning is dropped.")
    max_chars: int = setting(10_000_000, "A document with more characters is dropped.")
    min_hangul: float = setting(0.3, "Least share of Hangul among the letters.", least=0, most=1)
    max_symbols: float = setting(1.0,
        "Greatest share of the characters that are neither letters, digits nor white space.", least=0, most=1)
    max_repeated_lines: float = setting(0.5,
        "Greatest share of the characters in lines that stood earlier in the same document.", least=0, most=1)
    max_repetition: float = setting(0.95,
        "Greatest share of the bytes that zlib saves: plain Korean prose is near 0.55.", least=0, most=1)
    line_min_chars: int = setting(0, "A shorter line of a document is taken out; blank lines stay.")
    line_max_chars: int = setting(10_000_000, "A longer line is taken out.")
    line_min_hangul: float = setting(0.0,
        "A line with a smaller share of Hangul among its letters is taken out, and one without letters.",
        least=0, most=1)
    line_max_symbols: float = setting(1.0, "A line with a greater share of symbols is taken out.", least=0, most=1)
    line_max_copies: int = setting(1_000_000,
        "Of equal lines of one document those after this many are taken out.", least=1)
    max_bad_share: float = setting(0.01, "Share of unreadable records above which the stage stops.", least=0, most=1)


@dataclass(frozen=True)
class Evaluation:
    """A split of a KLUE task that training text must not hold, whatever the models are evaluated on."""
    task: str = setting(help="ynat, nli, sts or re.", among=tuple(klue.TASKS))
    split: str = setting(help="train or validation.", among=klue.SPLITS)
    data: str = setting(help="hub, sample, or a folder under DATA= in the Hub's layout.")
    revision: str = setting("", "Commit hash or tag of the Hub dataset; a folder counts by its content.")


@dataclass(frozen=True)
class Recipe:
    """A corpus: its sources in order of precedence (of two equal documents the first one stays)."""
    title: str = setting(help="One line for the dataset card.")
    description: str = setting(help="A paragraph for the dataset card.")
    validation_share: float = setting(
        help="Share of each source's bytes that becomes validation text.", least=0, most=0.9)
    source: tuple[Source, ...] = setting(help="The sources.")
    cleanup: dict = setting(dict, "Clean-ups of the recipe's own, in the form of cleanups.toml.")
    evaluation: tuple[Evaluation, ...] = setting((), "Evaluation sets whose text must not be in the corpus.")
    overlap_letters: int = setting(13,
        "Letters and digits in a row that a document and an evaluation text must share to count as overlap; a shorter"
        " text counts where it is a whole document or line. 13 is four to five Korean words; most shared runs of 9 "
        "are set phrases.", least=4, most=64)
    overlap_share: float = setting(0.5,
        "Share of an evaluation text's runs of `overlap_letters` that a document must hold to be removed. On KLUE and"
        " Wikipedia pairs above 0.5 were copies, edited ones among them; below it most were formulas about other "
        "people and places.", least=0.05, most=1)
    personal_data: str = setting("placeholder",
        "What e-mail addresses, telephone numbers and the like become: placeholder, pseudonym or keep.",
        among=("placeholder", "pseudonym", "keep"))
    shingle_words: int = setting(5,
        "Words in a row that MinHash takes for one feature; a shorter document has no near duplicates, only equal "
        "ones.", least=1)
    bands: int = setting(14,
        "Bands of MinHash values; two documents that agree in one band are near duplicates. 0 leaves near duplicates "
        "in.", least=0, most=100)
    band_rows: int = setting(8,
        "MinHash values a band. FineWeb's 14 bands of 8 find 92 % of pairs of similarity 0.8, 5 % of 0.5.",
        least=1, most=32)


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
    table = read_toml(path)
    for key in ("source", "evaluation"):
        blocks = table.get(key, [])
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks) \
                or (key == "source" and not blocks):
            raise UserError(f"{path}: needs [[{key}]] tables, and at least one [[source]].")
    for key, cls in (("source", Source), ("evaluation", Evaluation)):
        table[key] = [from_table(cls, block, f"{path}, {key} {index}")
                      for index, block in enumerate(table.get(key, []), 1)]
    recipe = from_table(Recipe, table, str(path))
    for source in recipe.source:
        _check(source, f"{path}, source {source.name!r}")
    names = [source.name for source in recipe.source]
    if len(set(names)) < len(names):
        raise UserError(f"{path}: two sources have the same name; each needs its own.")
    return recipe


def input_files(recipe: Recipe, data_root: Path | None) -> list[tuple[str, Path]]:
    """Every local file that the recipe reads and its role, in a fixed order; raises UserError if one isn't there."""
    return [*((f"{source.name}: {label}", path) for source in recipe.source
              for path, label in source_files(source, data_root)),
            *((f"evaluation {each.task} {each.split}: {path.name}", path) for each in recipe.evaluation
              for path in klue.input_files(evaluation_folder(each, data_root), each.task, (each.split,)))]


def evaluation_folder(evaluation: Evaluation, data_root: Path | None) -> str:
    """What klue.load_rows takes for it: hub, sample, or the folder under DATA=."""
    if evaluation.data in ("hub", "sample") or Path(evaluation.data).is_absolute():
        return evaluation.data
    if data_root is None:
        raise UserError(f"the recipe looks for the text of {evaluation.task} in {evaluation.data!r} under a folder of "
                        "yours: give it with DATA=folder.")
    return str(data_root / evaluation.data)


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


def _check(source: Source, where: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", source.name):
        raise UserError(f"{where}: name a source with lower-case letters, digits and hyphens.")
    if source.kind == "hub" and not (source.dataset and source.revision and source.subset):
        raise UserError(f"{where}: a hub source needs dataset, subset and revision (a commit hash or a tag).")
    if source.kind == "hub" and source.revision in ("main", "master", "refs/convert/parquet"):
        raise UserError(f"{where}: revision {source.revision!r} is a branch: give a commit hash or a tag.")
    if source.kind != "hub" and not source.paths:
        raise UserError(f"{where}: needs paths.")
