"""Files as streams of bytes, whatever they are compressed with, and as lines. What the lines mean
is the readers' job."""

import bz2
import gzip
import io
import lzma
import zlib
from pathlib import PurePath
from typing import Any, Final, cast
from xml.parsers.expat import ExpatError

import pyarrow

from corpora.sources.records import MAX_RECORD, UTF_16_MARKS, Records, to_record

ByteStream = io.BufferedReader | gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
"""Bytes with a `peek` at those that come next."""

DAMAGE: Final = (
    EOFError,
    OSError,
    UnicodeError,
    ExpatError,
    lzma.LZMAError,
    zlib.error,
    pyarrow.ArrowException,
)
"""What reading a damaged file, or one that was cut short, raises."""


def open_stream(path: PurePath, packed: io.BufferedReader | None = None) -> ByteStream:
    """Open a plain or compressed file for reading; the suffix says which it is.

    Its bytes come from `packed`, a member of an archive, if that is given.
    """
    suffix = path.suffix.lower()
    file = cast(Any, packed or path)  # each of the libraries takes both
    if suffix in (".gz", ".tgz"):
        return cast(gzip.GzipFile, gzip.open(file, "rb"))
    if suffix in (".bz2", ".tbz2"):
        return bz2.BZ2File(file)
    if suffix in (".xz", ".txz"):
        return lzma.LZMAFile(file)
    if suffix == ".zst":
        # Arrow's reader, because zstandard's ends without an error where a frame is cut short.
        unbuffered = cast(Any, pyarrow.input_stream(file, "zstd"))  # a file, but of no class of io
        return io.BufferedReader(unbuffered, 1 << 20)
    return packed or open(path, "rb")


class Utf16AsUtf8(io.RawIOBase):
    """A stream of UTF-16 with its byte-order mark, as UTF-8 without one."""

    def __init__(self, stream: ByteStream) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-16", newline="")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill as much of the buffer as is sure not to run over."""
        raw = self._text.read(len(buffer) // 4).encode()
        buffer[: len(raw)] = raw
        return len(raw)

    def close(self) -> None:
        """Close the stream itself, too."""
        self._text.close()
        super().close()


def read_lines(stream: ByteStream, label: str) -> Records:
    r"""Yield every line that ends in \n, without its line end; a bare \r is no line end."""
    lines: ByteStream | io.TextIOWrapper = stream
    if stream.peek(2)[:2] in UTF_16_MARKS:
        lines = io.TextIOWrapper(stream, encoding="utf-16", newline="\n")
    number = 0
    while raw := lines.readline(MAX_RECORD + 1):
        number += 1
        yield to_record(f"{label}:{number}", raw, is_line=True)
        while len(raw) > MAX_RECORD and raw[-1:] not in (b"\n", "\n"):
            raw = lines.readline(MAX_RECORD + 1)  # the rest of a line that was too long
    if isinstance(lines, io.TextIOWrapper):
        lines.detach()  # whose end would close the stream
