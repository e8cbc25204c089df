"""Tables whose columns are separated by commas, tabs or another character -> documents."""

import csv
from collections.abc import Iterator

from corpora.errors import UserError
from corpora.recipe import Source
from corpora.sources.formats.columns import needed_columns, to_document
from corpora.sources.records import MAX_RECORD, MaybeRecords, Record, Records, bad_record
from corpora.sources.streams import ByteStream, read_lines


def read_table(source: Source, stream: ByteStream, label: str, tabs: bool) -> MaybeRecords:
    """Yield the documents of a table, whose first line names its columns unless the source does.

    Raises UserError for a column that isn't there, for a header where the source says that there is
    none, and for a quote that is never closed.
    """
    columns = list(source.columns)
    if columns:
        needed_columns(source, label, columns)
    for where, row in _read_rows(source, stream, label, tabs):
        if isinstance(row, Record):
            yield row
        elif not columns:
            columns = row
            needed_columns(source, label, columns, _explain_header(columns, tabs))
        elif len(row) != len(columns):
            reason = f"{len(row)} fields under {len(columns)} columns"
            yield bad_record(where, reason, "\t".join(row))
        elif row == list(source.columns):
            raise UserError(
                f"{where}: source {source.name!r} names columns for a file without a header, but "
                "this line is one. Leave columns out."
            )
        else:
            yield to_document(source, where, dict(zip(columns, row)))


def _read_rows(
    source: Source, stream: ByteStream, label: str, tabs: bool
) -> Iterator[tuple[str, list[str] | Record]]:
    """Yield places and rows that aren't blank, or what can't be read there."""
    bad: list[Record] = []
    texts = _texts_for_csv(read_lines(stream, label), bad)
    csv.field_size_limit(MAX_RECORD)
    if tabs:
        # Quotes in such tables are text (NSMC, KorNLI): as quoting, one stray quote swallows lines.
        rows = csv.reader(texts, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        rows = csv.reader(texts, delimiter=source.delimiter or ",", strict=True)
    where = label
    while True:
        row: list[str] | None = []
        try:
            row = next(rows, None)
        except csv.Error as error:
            if "unexpected end" in str(error):  # all lines from here on were taken for one field
                message = f"{label}: a quote after {where} is never closed. Mend the file."
                raise UserError(message) from None
            bad.append(bad_record(f"{label}:{rows.line_num}", f"not CSV: {error}", ""))
        where = f"{label}:{rows.line_num}"
        for record in bad:
            yield record.where, record
        bad.clear()
        if row is None:
            return
        if len(row) > 1 or (row and row[0].strip()):
            yield where, row


def _texts_for_csv(lines: Records, bad: list[Record]) -> Iterator[str]:
    r"""Yield the lines' texts; what can't be read is put into `bad`.

    A blank line in its place keeps the count. The csv module takes a bare \r for a line end.
    """
    for line in lines:
        if line.reason:
            bad.append(line)
            yield "\n"
        else:
            yield line.text.replace("\r", " ") + "\n"


def _explain_header(columns: list[str], tabs: bool) -> str:
    """What a header without the columns that are needed looks like, and what to set then."""
    other = next((each for each in "\t,;|" if len(columns) == 1 and each in columns[0]), "")
    if not other:
        return "If the first line is no header, name the columns: columns = [...]."
    settings = ['format = "csv"'] if tabs else []
    if other == "\t":
        settings = ['format = "tsv"']
    elif other != ",":
        settings.append(f'delimiter = "{other}"')
    character = "a tab" if other == "\t" else repr(other)
    return f"This one column holds {character}: set {' and '.join(settings)}."
