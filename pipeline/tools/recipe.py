"""`make recipe DATA=folder OUT=my.toml`: look at a folder of text and write a recipe to start from,
checked by reading the first documents of every source. How things are guessed is told in
corpora/survey."""

import shlex
from pathlib import Path

from corpora.errors import UserError, require
from pipeline import cli_options
from pipeline.artifacts.files import write_text

DEFAULT_OUT = Path("my.toml")


def recipe(data: cli_options.Data = None, out: cli_options.Out = None) -> None:
    """Look at DATA=folder and write a recipe to start from."""
    if data is None:
        raise UserError("recipe: say which folder of text to look at with DATA=folder.")
    require(data.is_dir(), f"DATA={data}: no such folder.")
    path = new_toml("recipe", out or DEFAULT_OUT)
    # Not above: the other commands do without these.
    from corpora.recipe import load_recipe
    from corpora.sources.shards import make_shards
    from corpora.survey.check import read_beginnings
    from corpora.survey.groups import find_sources
    from corpora.survey.write import list_reasons, write_recipe

    proposals, reasons = find_sources(data)
    readings = [(proposal, read_beginnings(proposal, reasons)) for proposal in proposals]
    sources = [(proposal, reading) for proposal, reading in readings if proposal.files]
    for line in list_reasons(reasons):
        print(f"not read: {line}")
    require(sources, f"DATA={data}: no text that can be read in it.")
    text, names = write_recipe(data, sources, reasons)
    write_text(path, text)
    make_shards(load_recipe(str(path)), data, lambda source: 0)  # raises if a setting doesn't fit
    for name, (proposal, reading) in zip(names, sources):
        print(f"\n{name}: {len({each.path for each in proposal.files}):,} files")
        for beginning in reading.beginnings:
            print(f"    {beginning}")
    variables = f"RECIPE={shlex.quote(str(path))} DATA={shlex.quote(str(data))}"
    print(f"\nrecipe: {path}   next: make corpus PRESET=laptop {variables}")


def new_toml(what: str, path: Path) -> Path:
    """The path itself; raises UserError for one that exists, or isn't named as a .toml file."""
    require(path.suffix == ".toml", f"OUT={path}: a {what}'s name ends in .toml.")
    require(not path.exists(), f"{path}: exists already; name a new file with OUT=.")
    return path
