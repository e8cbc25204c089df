"""Plain text and Markdown -> documents: the whole file, its lines, or the blocks between blank
lines. Of a damaged text only the damaged lines are lost."""

from itertools import chain
from typing import Final

from corpora.recipe import Source
from corpora.sources.records import (
    BYTE_PLACE,
    EXCERPT,
    MAX_RECORD,
    NO_TEXT,
    Record,
    Records,
    UndecodableError,
    bad_record,
    decode,
    to_record,
    undecodable,
)
from corpora.sources.streams import ByteStream, read_lines

MAX_BLOCK: Final = MAX_RECORD // 3
"""Characters, of up to three bytes each, above which a block ends without a blank line."""
CHUNK: Final = 1 << 20
"""Bytes read at a time of what is only counted."""


def read_text(source: Source, stream: ByteStream, label: str) -> Records:
    """Yield a .txt file's documents, which the source's `unit` says."""
    if source.unit in ("", "file"):
        yield from read_whole(stream, label)
    elif source.unit == "line":
        lines = read_lines(stream, label)
        yield from (line for line in lines if line.reason or line.text.strip())
    else:
        yield from _join_blocks(read_lines(stream, label))


def read_whole(stream: ByteStream, label: str) -> Records:
    """Yield the file as one document, after those of its lines that can't be read."""
    raw = stream.read(MAX_RECORD + 1)
    record = to_record(label, raw)
    if not record.reason:
        num_lines = record.text.count("\n") + (not record.text.endswith("\n"))
        reason = "" if record.text and not record.text.isspace() else NO_TEXT
        yield record._replace(reason=reason, num_lines=num_lines)
    elif BYTE_PLACE.match(record.reason):
        yield from _read_good_lines(raw, label)
    else:
        yield record._replace(num_lines=raw.count(b"\n") + _count_lines(stream))


def refuse_whole(label: str, reason: str, stream: ByteStream) -> Record:
    """Return the bad record for a whole file, which counts by its lines as the readable ones do."""
    start = stream.read(EXCERPT)
    num_lines = start.count(b"\n") + _count_lines(stream)
    return bad_record(label, reason, start)._replace(num_lines=num_lines)


def _count_lines(stream: ByteStream) -> int:
    """Line ends in what is left of a stream, and one for its end."""
    return 1 + sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(CHUNK), b""))


def _read_good_lines(raw: bytes, label: str) -> Records:
    """Yield a damaged text's bad lines, then the document without them.

    A blank line is left in the place of a bad one, so that nothing joins its neighbours. A file
    most of whose lines are bad is no text, and one bad record.
    """
    lines = raw.removesuffix(b"\n").split(b"\n")
    is_cp949 = sum(_reads_as(line, "cp949") - _reads_as(line, "utf-8") for line in lines) > 0
    texts: list[str] = []
    bad: list[Record] = []
    start = 0
    for number, line in enumerate(lines, 1):
        try:
            texts.append(_decode_line(line, is_cp949))
        except ValueError as error:
            reason = str(error)
            if isinstance(error, UndecodableError):
                place = f"byte {start + error.offset} of the file"
                reason = undecodable(line[error.offset], place)
            bad.append(bad_record(f"{label}:{number}", reason, line))
            texts.append("")
        start += len(line) + 1
    if len(bad) > 1 and len(bad) > sum(bool(text.strip()) for text in texts):
        reason = f"{bad[0].reason}, as are most of its lines"
        yield bad[0]._replace(where=label, reason=reason, num_lines=len(lines))
        return
    yield from bad
    if len(bad) < len(lines):
        yield Record(label, "\n".join(texts), num_lines=len(lines) - len(bad))


def _decode_line(line: bytes, is_cp949: bool) -> str:
    """Decode a line of a file; what fits both encodings is in that of the file's other lines."""
    if is_cp949 and _reads_as(line, "cp949"):
        return line.decode("cp949").replace("\0", "")
    return decode(line)


def _reads_as(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _join_blocks(lines: Records) -> Records:
    block: list[Record] = []
    num_characters = 0
    for line in chain(lines, [Record("", "")]):  # a blank line ends the last block, too
        if line.reason:
            yield line
            if block:  # a blank line in its place, so that nothing joins its neighbours
                block.append(Record(line.where, ""))
            continue
        is_blank = not line.text.strip()
        if not is_blank:
            block.append(line)
            num_characters += len(line.text)
        if block and (is_blank or num_characters > MAX_BLOCK):
            text = "\n".join(each.text for each in block)
            yield Record(block[0].where, text, num_lines=len(block))
            block.clear()
            num_characters = 0
