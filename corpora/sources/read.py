"""A file of a recipe -> a stream of documents, in flat memory: the reader of its format is chosen
here.

What can't be read becomes a record with its place and the reason. Only a damaged container or a
wrong setting stops the run."""

from pathlib import Path

from corpora.errors import as_user_error
from corpora.recipe import FileFormat, Source
from corpora.sources.json_lines import read_json_lines
from corpora.sources.parquet import read_parquet
from corpora.sources.records import Record, Records
from corpora.sources.shards import file_format
from corpora.sources.streams import DAMAGE, ByteStream, open_stream
from corpora.sources.tables import read_table
from corpora.sources.text import read_text, read_whole

ADVICE = "Get the file again, or take it out of the recipe's paths."


def read_file(source: Source, path: Path, label: str) -> Records:
    """Yield a file's documents and bad records, in places that begin with `label`.

    Raises UserError for a damaged file and for a setting of the source that doesn't fit it.
    """
    name = file_format(source, path)
    what = f"{path}: damaged or cut short"
    with as_user_error(what, ADVICE, DAMAGE), open_stream(path) as stream:
        if not path.stat().st_size or not stream.peek(1):
            yield Record(label, "", reason="empty file")
        else:
            yield from _read_format(name, source, path, stream, label)


def _read_format(
    name: FileFormat, source: Source, path: Path, stream: ByteStream, label: str
) -> Records:
    if name == "parquet":
        return read_parquet(source, path, label)
    if name == "md":
        return read_whole(stream, label)
    if name == "txt":
        return read_text(source, stream, label)
    if name == "jsonl":
        return read_json_lines(source, stream, label)
    return read_table(source, stream, label, tabs=name == "tsv")
