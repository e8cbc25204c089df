"""Which columns or keys of a row a source reads, and the document that they make."""

from collections.abc import Iterable
from typing import Any

from corpora.errors import require
from corpora.recipe import Source
from corpora.sources.records import MAX_RECORD, TOO_LONG, Record, bad_record


def needed_columns(source: Source, where: str, columns: list[str], hint: str = "") -> list[str]:
    """Return the columns that the source names.

    Raises UserError that lists `columns`, those there are, and gives the hint if one isn't among
    them; and for one that is there twice.
    """
    needed = {"text": source.text}
    if source.title:
        needed["title"] = source.title
    if source.only:
        needed["id"] = source.id
    for key, column in needed.items():
        require(
            column in columns,
            f"{where}: source {source.name!r} says {key} = {column!r}, but the columns are "
            f"{_listed(columns)}: set {key} to the right one. {hint}".rstrip(),
        )
        require(
            columns.count(column) == 1,
            f"{where}: source {source.name!r} says {key} = {column!r}, but there are "
            f"{columns.count(column)} columns of this name: {_listed(columns)}.",
        )
    return list(dict.fromkeys(needed.values()))


def to_document(source: Source, where: str, row: dict[str, Any]) -> Record | None:
    """Return the document in a row, or why it is none; None where `only` leaves the row out."""
    if source.only:
        name = row.get(source.id)
        if not isinstance(name, str):
            return bad_record(where, f"no text in {source.id!r}, which only = needs", str(row))
        if not name.startswith(source.only):
            return None
    if source.text not in row:
        return bad_record(where, f"no {source.text!r}; the keys are {_listed(row)}"[:300], str(row))
    text = row[source.text]
    title = (row.get(source.title) or "") if source.title else ""
    if not isinstance(text, str) or not isinstance(title, str):
        return bad_record(where, f"{source.text!r} or its title is no text", str(row))
    try:
        num_bytes = len((text + title).encode())
    except UnicodeEncodeError:
        return bad_record(where, "lone surrogate", text)
    if num_bytes > MAX_RECORD:
        return bad_record(where, TOO_LONG, text)
    return Record(where, text, title)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
