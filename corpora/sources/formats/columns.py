"""Which columns or keys of a row a source reads, and the document that they make."""

from collections.abc import Iterable
from typing import Any

from corpora.errors import require
from corpora.recipe import Source
from corpora.sources.records import MAX_RECORD, TOO_LONG, Record, bad_record


class RowSource(Source):
    """A source whose rows are wanted, not documents: the values of several of their columns, or
    keys, as they stand."""

    fields: tuple[tuple[str, str], ...]
    """What a column is called where it is named (texts, label), and its name or path; without any
    the whole row is wanted."""


def needed_columns(source: Source, where: str, columns: list[str], hint: str = "") -> list[str]:
    """Return the columns that the source names.

    Raises UserError that lists `columns`, those there are, and gives the hint if one isn't among
    them; and for one that is there twice.
    """
    needed = [("text", source.text)]
    if source.title:
        needed.append(("title", source.title))
    if source.only:
        needed.append(("id", source.id))
    if isinstance(source, RowSource):
        needed = list(source.fields)
    for key, column in needed:
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
    return list(dict.fromkeys(column for _, column in needed))


def to_document(source: Source, where: str, row: Any) -> Record | None:
    """Return the document in a row, or why it is none; None where `only` leaves the row out."""
    if isinstance(source, RowSource):
        return _to_row(source, where, row)
    try:
        if source.only and not _find_name(source, row).startswith(source.only):
            return None
        text = _find_text(row, source.text, "\n")
        title = _find_title(source, row) if source.title else ""
    except ValueError as error:
        return bad_record(where, str(error)[:300], str(row))
    try:
        num_bytes = len((text + title).encode())
    except UnicodeEncodeError:
        return bad_record(where, "lone surrogate", text)
    if num_bytes > MAX_RECORD:
        return bad_record(where, TOO_LONG, text)
    return Record(where, text, title)


def _to_row(source: RowSource, where: str, row: Any) -> Record:
    try:
        values = tuple(_find_value(row, column) for _, column in source.fields) or (row,)
    except ValueError as error:
        return bad_record(where, str(error)[:300], str(row))
    return Record(where, "", row=values)


def _find_value(row: Any, path: str) -> Any:
    """The value at a key or, if there's no such key, at the end of a path; None where it's null."""
    if isinstance(row, dict) and path in row:
        return row[path]
    values = _values_at(row, path)
    if len(values) > 1:
        raise ValueError(f"{path!r} has {len(values)} values")
    return values[0] if values else None


def _find_name(source: Source, row: Any) -> str:
    try:
        return _find_text(row, source.id, " ")
    except ValueError:
        raise ValueError(f"no text in {source.id!r}, which only = needs") from None


def _find_title(source: Source, row: Any) -> str:
    try:
        return _find_text(row, source.title, " ")
    except MissingKeyError:
        return ""


def _find_text(row: Any, path: str, separator: str) -> str:
    """Return the text at a key or, if there's no such key, the texts at the end of a path, joined.

    What is null or blank adds nothing. Raises MissingKeyError that names the keys there are, and
    ValueError for what is no text.
    """
    if isinstance(row, dict) and path in row:
        value = row[path]
        if isinstance(value, str):
            return value
        values = [value]
    else:
        values = _values_at(row, path)
    texts = [value for value in values if value is not None]
    for value in texts:
        if isinstance(value, list):
            raise ValueError(f"{path!r} is a list: {path}[] joins its texts")
        if not isinstance(value, str):
            raise ValueError(f"{path!r} is no text")
    return separator.join(text for text in texts if text.strip())


def _values_at(row: Any, path: str) -> list[Any]:
    """Return the values at the end of a path such as document[].paragraph[].form, in order."""
    values = [row]
    missing = ""
    passed = ""
    for step in path.replace("[]", ".[]").removeprefix(".").split("."):
        found: list[Any] = []
        for value in values:
            if value is None:
                continue
            if step == "[]":
                found += _checked(value, list, passed, f"isn't a list: leave out the [] in {path}")
            elif step in _checked(value, dict, passed, f"isn't an object, as {path} has it"):
                found.append(value[step])
            elif not missing:
                place = f" in {passed}" if passed else ""
                missing = f"no {step!r}{place}; the keys are {_listed(value)}"
        values = found
        passed += step if step == "[]" or not passed else f".{step}"
    if not values and missing:
        raise MissingKeyError(missing)
    return values


def _checked(value: Any, kind: type, place: str, fault: str) -> Any:
    if not isinstance(value, kind):
        hint = f"is a list: write {place}[]" if isinstance(value, list) else fault
        raise ValueError(f"{place!r} {hint}")
    return value


class MissingKeyError(ValueError):
    """A key isn't there."""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
