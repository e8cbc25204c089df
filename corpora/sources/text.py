"""Plain text and Markdown -> documents: the whole file, its lines, or the blocks between blank
lines."""

from typing import Final

from corpora.recipe import Source
from corpora.sources.records import MAX_RECORD, Record, Records, to_record
from corpora.sources.streams import ByteStream, read_lines

MAX_BLOCK: Final = MAX_RECORD // 3
"""Characters, of up to three bytes each, above which a block ends without a blank line."""


def read_whole(stream: ByteStream, label: str) -> Records:
    """Yield the file as one document."""
    yield to_record(label, stream.read(MAX_RECORD + 1))


def read_text(source: Source, stream: ByteStream, label: str) -> Records:
    """Yield a .txt file's documents, which the source's `unit` says."""
    if source.unit == "file":
        yield from read_whole(stream, label)
    elif source.unit == "line":
        lines = read_lines(stream, label)
        yield from (line for line in lines if line.reason or not _is_blank(line))
    else:
        yield from _join_blocks(read_lines(stream, label))


def _join_blocks(lines: Records) -> Records:
    block: list[Record] = []
    num_characters = 0
    for line in lines:
        if line.reason:
            yield line
            continue
        if not _is_blank(line):
            block.append(line)
            num_characters += len(line.text)
        if block and (_is_blank(line) or num_characters > MAX_BLOCK):
            yield _join(block)
            block.clear()
            num_characters = 0
    if block:
        yield _join(block)


def _is_blank(line: Record) -> bool:
    return not line.text.strip()


def _join(block: list[Record]) -> Record:
    return Record(block[0].where, "\n".join(line.text for line in block))
