"""Plain text and Markdown -> documents: the whole file, its lines, or the blocks between blank
lines."""

from itertools import chain
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
    if source.unit in ("", "file"):
        yield from read_whole(stream, label)
    elif source.unit == "line":
        lines = read_lines(stream, label)
        yield from (line for line in lines if line.reason or line.text.strip())
    else:
        yield from _join_blocks(read_lines(stream, label))


def _join_blocks(lines: Records) -> Records:
    block: list[Record] = []
    num_characters = 0
    for line in chain(lines, [Record("", "")]):  # a blank line ends the last block, too
        if line.reason:
            yield line
            continue
        is_blank = not line.text.strip()
        if not is_blank:
            block.append(line)
            num_characters += len(line.text)
        if block and (is_blank or num_characters > MAX_BLOCK):
            yield Record(block[0].where, "\n".join(each.text for each in block))
            block.clear()
            num_characters = 0
