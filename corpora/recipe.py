"""What makes up a corpus: recipes (recipes/*.toml), their sources and evaluation sets, as settings.

Only what a recipe may say stands here. Finding its files is sources/shards.py's job, reading them
that of the other files in sources/."""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, field_validator, model_validator

from corpora.cleaning.limits import Limits
from corpora.errors import require
from corpora.settings import Settings, broken_rule, find_named_file, nearest, read_toml
from corpora.source_keys import explain_key_of_other_kind

RECIPES: Final = Path(__file__).parent / "recipes"
RECIPE_FILE: Final = "recipe.json"
"""In a finished corpus, and in what is made of it: the recipe as it was read."""
BRANCHES: Final = ("main", "master", "refs/convert/parquet")
NAMES: Final = "needs lower-case letters, digits and hyphens, and no two the same name."
NEEDS_BLOCKS: Final = "{}: needs [[{}]] tables, and at least one [[source]]."

KLUE_TASKS: Final = ("ynat", "nli", "sts", "re")

FileFormat = Literal[
    "",
    "txt",
    "md",
    "json",
    "jsonl",
    "csv",
    "tsv",
    "parquet",
    "mediawiki",
    "wikiextractor",
]
PersonalDataMode = Literal["placeholder", "pseudonym", "keep"]
Block = TypeVar("Block", bound=Settings)


def _require_pinned(revision: str) -> str:
    if revision in BRANCHES:
        raise broken_rule(f"revision {revision!r} is a branch: give a commit hash or a tag.")
    return revision


Revision = Annotated[str, AfterValidator(_require_pinned)]


class SourceText(Settings):
    """What the text of a source is, where it lies, and how it is read and cleaned."""

    name: str
    """Name in reports and file names: lower-case letters, digits and hyphens."""
    kind: Literal["konlpy", "files", "hub"]
    """konlpy (corpora inside the KoNLPy package), files (under DATA=) or hub (a Hugging Face
    dataset)."""
    licence: str
    """Licence of the text, as its publisher states it."""
    paths: tuple[str, ...] = ()
    """Globs under DATA= (files) or under KoNLPy's corpus folder (konlpy)."""
    members: tuple[str, ...] = ()
    """Globs of the files to read in an archive (.zip, .tar.*), whose * crosses /; all of them if
    empty."""
    format: FileFormat = ""
    """txt, md, json, jsonl, csv, tsv, parquet, mediawiki (Wikipedia's XML dump) or wikiextractor;
    guessed from the file's suffix if empty."""
    delimiter: str = ""
    """Character between the columns of csv, if it isn't a comma."""
    columns: tuple[str, ...] = ()
    """Names of the columns of csv or tsv, for a file without a header."""
    unit: Literal["", "file", "line", "block"] = ""
    """What one document is in a .txt file: the file (so too if empty), a line, or a block between
    blank lines. In a .json file that is one object: file, or if empty each element of the first
    list in `text`."""
    text: str = "text"
    """Column or key that holds the text. In JSON it may be a path, as in
    document[].paragraph[].form, whose lists' texts are joined with line breaks."""
    title: str = ""
    """Column or key that holds a title, put before a text that doesn't already start with it."""
    id: str = "id"
    """Column or key that holds a row's name, which `only` looks at."""
    only: tuple[str, ...] = ()
    """Take only the rows whose name begins with one of these; the others aren't this source's."""
    dataset: str = ""
    """Hub dataset, OWNER/NAME."""
    config: str = ""
    """Configuration of the Hub dataset."""
    subset: str = "train"
    """Split of the Hub dataset to read."""
    revision: Revision = ""
    """Commit hash or tag of the Hub dataset; a branch would change under us."""
    byte_budget: int = Field(default=0, ge=0)
    """UTF-8 bytes of raw text to read from the Hub, spread evenly over its files; 0 reads
    everything."""
    clean: tuple[str, ...] = ()
    """Names of clean-ups (corpora/cleaning/cleanups.toml, cleanups.py or the recipe's own) in the
    order in which they run."""
    split: Literal["none", "article", "paragraph"] = "none"
    """Where long texts are cut: none, article (lines that start with 제N조) or paragraph."""
    split_bytes: int = Field(default=4000, ge=100)
    """Bytes that a piece of a cut text has at most, unless one line is longer."""


class Source(Limits, SourceText):
    """Text of one kind, with the limits that fit it (cleaning/limits.py)."""

    max_bad_share: float = Field(default=0.01, ge=0, le=1)
    """Share of records that can't be read above which the stage stops. Of .txt and .md files every
    line counts as a record, of all others every row."""

    @field_validator("name")
    @classmethod
    def _fits_into_file_names(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
            raise broken_rule(f"name={name!r}: {NAMES}")
        return name

    @field_validator("delimiter")
    @classmethod
    def _is_one_character(cls, delimiter: str) -> str:
        if len(delimiter) > 1 or delimiter in ('"', "\n", "\r"):
            raise broken_rule(f'delimiter={delimiter!r}: has to be one character, such as ";".')
        return delimiter

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needed = {"paths": self.paths}
        if self.kind == "hub":
            needed = {"dataset": self.dataset, "subset": self.subset, "revision": self.revision}
        if not all(needed.values()):
            raise broken_rule(f"a source of kind {self.kind} needs {', '.join(needed)}.")
        if problem := explain_key_of_other_kind(self.kind, self.model_fields_set):
            raise broken_rule(problem)
        if len(set(self.columns)) < len(self.columns):
            raise broken_rule(f"columns={list(self.columns)}: no two may have the same name.")
        return self


class Evaluation(Settings):
    """A split of a task that training text must not hold, whatever models are evaluated on."""

    task: str
    """ynat, nli, sts or re; or the .toml file of a task of one's own, under DATA=."""
    split: Literal["train", "validation"]
    """train or validation."""
    data: str = ""
    """Of KLUE's tasks: hub, sample, or a folder under DATA= in one of the layouts of
    tasks/layouts.py."""
    revision: Revision = ""
    """Commit hash or tag of the Hub dataset; a folder counts by its content."""

    @model_validator(mode="after")
    def _says_where_the_rows_are(self) -> Self:
        is_own = self.task.endswith(".toml")
        if not is_own and self.task not in KLUE_TASKS:
            hint = nearest(self.task, KLUE_TASKS)
            raise broken_rule(
                f"task={self.task}: has to be one of {', '.join(KLUE_TASKS)}, or a .toml "
                f"file.{hint}"
            )
        if is_own and self.data:
            raise broken_rule(f"data={self.data}: {self.task} itself says where its rows are.")
        if not is_own and not self.data:
            raise broken_rule("'data' is missing.")
        return self


class Recipe(Settings):
    """A corpus.

    Its sources stand in order of precedence: of two equal documents the first one's stays.
    """

    title: str
    """One line for the dataset card."""
    description: str
    """A paragraph for the dataset card."""
    validation_share: float = Field(ge=0, le=0.9)
    """Share of each source's bytes that becomes validation text."""
    source: tuple[Source, ...]
    """The sources."""
    cleanup: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Clean-ups of the recipe's own, in the form of cleanups.toml."""
    evaluation: tuple[Evaluation, ...] = ()
    """Evaluation sets whose text must not be in the corpus."""
    overlap_letters: int = Field(default=13, ge=4, le=64)
    """Letters and digits in a row that a document and an evaluation text must share to count as
    overlap; a shorter text counts where it is a whole document or line. 13 is four to five Korean
    words; most shared runs of 9 are set phrases."""
    overlap_share: float = Field(default=0.5, ge=0.05, le=1)
    """Share of an evaluation text's runs of `overlap_letters` that a document must hold to be
    removed. On KLUE and Wikipedia pairs above 0.5 were copies, edited ones among them; below it
    most were formulas about other people and places."""
    personal_data: PersonalDataMode = "placeholder"
    """What e-mail addresses, telephone numbers and the like become: placeholder, pseudonym or
    keep."""
    shingle_words: int = Field(default=5, ge=1)
    """Words in a row that MinHash takes for one feature; a shorter document has no near duplicates,
    only equal ones."""
    bands: int = Field(default=14, ge=0, le=100)
    """Bands of MinHash values; two documents that agree in one band are near duplicates, and so are
    two that a third one joins. 0 leaves near duplicates in."""
    band_rows: int = Field(default=8, ge=1, le=32)
    """MinHash values a band. FineWeb's 14 bands of 8 find 92 % of pairs of similarity 0.8, 5 % of
    0.5."""

    @model_validator(mode="after")
    def _names_its_sources_apart(self) -> Self:
        names = [source.name for source in self.source]
        for name in names:
            if names.count(name) > 1:
                raise broken_rule(f"source {name!r}: {NAMES}")
        return self


def load_recipe(name_or_path: str) -> Recipe:
    """Read a recipe by its name or a .toml path.

    Raises UserError that names the file, the key and the nearest known one.
    """
    path = find_named_file("recipe", name_or_path, RECIPES)
    table = read_toml(path)
    sources = _read_blocks(path, table, "source", Source)
    evaluations = _read_blocks(path, table, "evaluation", Evaluation)
    require(sources, NEEDS_BLOCKS.format(path, "source"))
    return Recipe.from_table(table | {"source": sources, "evaluation": evaluations}, str(path))


def _read_blocks(
    path: Path, table: dict[str, Any], key: str, kind: type[Block]
) -> tuple[Block, ...]:
    blocks = table.get(key, [])
    is_list_of_tables = isinstance(blocks, list) and all(isinstance(each, dict) for each in blocks)
    require(is_list_of_tables, NEEDS_BLOCKS.format(path, key))
    return tuple(
        kind.from_table(block, f"{path}, {key} {number}") for number, block in enumerate(blocks, 1)
    )
