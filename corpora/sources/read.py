"""A file of a recipe -> a stream of documents, in flat memory: the reader of its format is chosen
here.

What can't be read becomes a record with its place and the reason. Only a damaged container or a
wrong setting stops the run."""

from pathlib import Path

from corpora.errors import as_user_error
from corpora.recipe import Source
from corpora.sources.formats.json_files import read_json
from corpora.sources.formats.parquet import read_parquet
from corpora.sources.formats.tables import read_table
from corpora.sources.formats.text import read_text, read_whole
from corpora.sources.records import NO_TEXT, Record, Records
from corpora.sources.shards import file_format
from corpora.sources.streams import DAMAGE, open_stream

ADVICE = "Get the file again, or take it out of the recipe's paths."


def read_file(source: Source, path: Path, label: str) -> Records:
    """Yield a file's documents and bad records, in places that begin with `label`.

    Raises UserError for a damaged file and for a setting of the source that doesn't fit it.
    """
    name = file_format(source, path)
    what = f"{path}: damaged or cut short"
    with as_user_error(what, ADVICE, DAMAGE), open_stream(path) as stream:
        if not path.stat().st_size or not stream.peek(1):
            records = iter([Record(label, "", reason="empty file")])
        elif name == "parquet":
            records = read_parquet(source, path, label)
        elif name == "md":
            records = read_whole(stream, label)
        elif name == "txt":
            records = read_text(source, stream, label)
        elif name in ("json", "jsonl"):
            records = read_json(source, stream, label, is_lines=name == "jsonl")
        else:
            records = read_table(source, stream, label, tabs=name == "tsv")
        is_blank = True
        for record in records:
            is_blank = False
            if record is not None:
                yield record
        if is_blank:
            yield Record(label, "", reason=NO_TEXT)
