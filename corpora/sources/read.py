"""A file of a recipe -> a stream of documents, in flat memory: the reader of its format is chosen
here.

What can't be read becomes a record with its place and the reason. Only a damaged container, a file
of another kind or a wrong setting stops the run."""

from pathlib import Path, PurePath

from corpora.errors import UserError
from corpora.recipe import FileFormat, Source
from corpora.sources.archives import damage_of, open_members
from corpora.sources.formats.json_files import read_json
from corpora.sources.formats.mediawiki import read_mediawiki
from corpora.sources.formats.parquet import read_parquet
from corpora.sources.formats.tables import read_table
from corpora.sources.formats.text import read_text, read_whole, refuse_whole
from corpora.sources.formats.wikiextractor import read_wikiextractor
from corpora.sources.recognise import PARQUET, START_BYTES, Kind, recognise, require_container
from corpora.sources.records import NO_TEXT, MaybeRecords, Record, Records
from corpora.sources.shards import file_format, guess_format, is_archive
from corpora.sources.streams import ByteStream, open_stream, to_utf_8


def read_file(source: Source, path: Path, label: str) -> Records:
    """Yield a file's documents and bad records, in places that begin with `label`.

    An archive's members are read one after another, each as a file. Raises UserError for a damaged
    file, one of another kind than its name says, and a setting of the source that doesn't fit it.
    """
    require_container(path)
    if is_archive(path.name):
        yield from _read_archive(source, path, label)
        return
    name = file_format(source, path)
    with damage_of(path), open_stream(path) as stream:
        yield from _read_records(source, name, stream, label)


def _read_archive(source: Source, path: Path, label: str) -> Records:
    for member in open_members(source, path):
        place = PurePath(member.name)
        name = guess_format(source, member.name)
        with damage_of(path, member.name), open_stream(place, member.packed) as stream:
            yield from _read_records(source, name, stream, f"{label}/{member.name}")


def _read_records(source: Source, name: FileFormat, stream: ByteStream, label: str) -> Records:
    """The source's records, or a bad one that says that there's none."""
    is_blank = True
    for record in _read_stream(source, name, to_utf_8(stream), label):
        is_blank = False
        if record is not None:
            yield record
    if is_blank:
        yield Record(label, "", reason=NO_TEXT)


def _read_stream(source: Source, name: FileFormat, stream: ByteStream, label: str) -> MaybeRecords:
    start = stream.peek(START_BYTES)[:START_BYTES]
    kind = recognise(start)
    if not start:
        yield Record(label, "", reason="empty file")
    elif kind and not kind.is_text and not (name == "parquet" and kind.name == PARQUET):
        yield _refuse_kind(source, name, kind, label, stream)
    elif name == "parquet":
        yield from read_parquet(source, stream, label)
    elif name == "mediawiki":
        yield from read_mediawiki(stream, label)
    elif name == "wikiextractor":
        yield from read_wikiextractor(source, stream, label)
    elif name == "md":
        yield from read_whole(stream, label)
    elif name == "txt":
        yield from read_text(source, stream, label)
    elif name in ("json", "jsonl"):
        yield from read_json(source, stream, label, is_lines=name == "jsonl")
    else:
        yield from read_table(source, stream, label, tabs=name == "tsv")


def _refuse_kind(
    source: Source, name: FileFormat, kind: Kind, label: str, stream: ByteStream
) -> Record:
    """A bad record for a text that is one document; else the whole file would be lost for one."""
    reason = f"{kind.name}, not {name}. {kind.advice}"
    if name == "md" or (name == "txt" and source.unit in ("", "file")):
        return refuse_whole(label, reason.removesuffix("."), stream)
    raise UserError(f"{label}: {reason}")
