"""Which keys of a source apply to which kind and to which format. One that was given and doesn't
apply is an error: what it asks for would be left undone."""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from corpora.errors import require

if TYPE_CHECKING:
    from corpora.recipe import Source

KEYS_OF_KINDS: Final = {
    "files": ("paths", "members", "format", "delimiter", "columns", "unit"),
    "hub": ("dataset", "config", "subset", "revision", "byte_budget"),
    "konlpy": ("paths", "unit"),
}
"""Keys that apply to some kinds of sources only; all others apply to every kind."""

UNITS: Final = {"txt": ("file", "line", "block"), "md": ("file",), "json": ("file",)}
ROWS: Final = ("tsv", "csv", "jsonl", "json", "parquet")
"""Formats whose documents are rows or objects, with columns or keys."""
FORMATS_OF_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "text": ROWS,
    "title": ROWS,
    "id": ROWS,
    "only": ROWS,
    "delimiter": ("csv",),
    "columns": ("csv", "tsv"),
    "unit": tuple(UNITS),
}
"""Keys that apply to some formats only."""
READ_AS: Final = {
    "txt": "plain text, which has no columns",
    "md": "Markdown, which has no columns",
    "mediawiki": "Wikipedia's XML dump, an article a document",
    "wikiextractor": "WikiExtractor's output, a <doc> a document",
}


def explain_key_of_other_kind(kind: str, given: Collection[str]) -> str:
    """Return why one of the keys that were given doesn't apply to this kind of source, or ""."""
    of_some_kinds = {key for keys in KEYS_OF_KINDS.values() for key in keys}
    for key in sorted(of_some_kinds.intersection(given).difference(KEYS_OF_KINDS[kind])):
        kinds = [other for other, keys in KEYS_OF_KINDS.items() if key in keys]
        return f"{key} is a key of sources of kind {' and '.join(kinds)}, not of {kind}."
    return ""


def require_keys_of_format(source: "Source", name: str, place: str) -> None:
    """Raise UserError for a key of the source that doesn't apply to the format of this name.

    `place` is the file, or the archive's member, that would be read so.
    """
    for key, formats in FORMATS_OF_KEYS.items():
        if key in source.model_fields_set:
            require(
                name in formats,
                f"{place}: source {source.name!r} says {_written(source, key)}, but the file is "
                f"read as {READ_AS.get(name, name)}: {key} doesn't apply to it. Set format = "
                f"{' or '.join(map(json.dumps, formats))} if it is that; else leave {key} out, or "
                "make the file a source of its own.",
            )
    require(
        not source.unit or source.unit in UNITS[name],
        f"{place}: source {source.name!r} says {_written(source, 'unit')}, but a {name} file is "
        "one document: leave unit out, or make the file a source of its own.",
    )


def require_archive_for_members(source: "Source", is_archive: bool, place: str) -> None:
    """Raise UserError where `members` is given for a file that is no archive."""
    require(
        is_archive or not source.members,
        f"{place}: source {source.name!r} says {_written(source, 'members')}, which applies to "
        "archives (.zip, .tar and the like) alone: leave members out, or make the file a source of "
        "its own.",
    )


def _written(source: "Source", key: str) -> str:
    """A key and its value, as a recipe has them."""
    value = getattr(source, key)
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"
