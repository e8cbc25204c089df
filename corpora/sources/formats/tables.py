"""Comma- and tab-separated tables with a header -> documents."""

import csv
from collections.abc import Iterator

from corpora.errors import UserError
from corpora.recipe import Source
from corpora.sources.formats.columns import needed_columns, to_document
from corpora.sources.records import MAX_RECORD, MaybeRecords, Record, Records, bad_record
from corpora.sources.streams import ByteStream, read_lines


def read_table(source: Source, stream: ByteStream, label: str, tabs: bool) -> MaybeRecords:
    """Yield the documents of a table separated by tabs or by commas.

    Raises UserError for a column that isn't there and for a quote that is never closed.
    """
    bad: list[Record] = []
    texts = _texts_for_csv(read_lines(stream, label), bad)
    csv.field_size_limit(MAX_RECORD)
    if tabs:
        # Quotes in such tables are text (NSMC, KorNLI): as quoting, one stray quote swallows lines.
        rows = csv.reader(texts, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        rows = csv.reader(texts, strict=True)
    header: list[str] = []
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
        yield from bad
        bad.clear()
        if row is None:
            return
        if row and not header:
            if not any(name.strip() for name in row):
                continue
            header = row
            needed_columns(source, label, header)
        elif row and len(row) != len(header):
            reason = f"{len(row)} fields under {len(header)} columns"
            yield bad_record(where, reason, "\t".join(row))
        elif row:
            yield to_document(source, where, dict(zip(header, row)))


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
