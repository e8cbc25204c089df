"""Files as streams of bytes, whatever they are compressed with, and as lines. What the lines mean
is the readers' job."""

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from pathlib import PurePath
from typing import Any, Final, cast
from xml.parsers.expat import ExpatError

import pyarrow

from corpora.sources.records import MAX_RECORD, Records, to_record

UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
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


def to_utf_8(stream: ByteStream) -> ByteStream:
    """Return UTF-16 with its byte-order mark as UTF-8 without one, any other stream as it is."""
    if stream.peek(2)[:2] in UTF_16_MARKS:
        return io.BufferedReader(_Utf16AsUtf8(stream), 1 << 16)
    return stream


class _Utf16AsUtf8(io.RawIOBase):
    """UTF-16 with its mark, as UTF-8. Half a surrogate pair becomes bytes that are none, so that
    its line alone is bad."""

    def __init__(self, stream: ByteStream) -> None:
        self._text = io.TextIOWrapper(stream, "utf-16", "surrogatepass", newline="")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill as much of the buffer as is sure not to run over."""
        raw = self._text.read(len(buffer) // 4).encode("utf-8", "surrogatepass")
        buffer[: len(raw)] = raw
        return len(raw)

    def close(self) -> None:
        """Close the stream itself, too."""
        self._text.close()
        super().close()


def read_lines(stream: ByteStream, label: str) -> Records:
    r"""Yield every line that ends in \n, without its line end; a bare \r is no line end."""
    number = 0
    while raw := stream.readline(MAX_RECORD + 1):
        number += 1
        yield to_record(f"{label}:{number}", raw, is_line=True)
        while len(raw) > MAX_RECORD and not raw.endswith(b"\n"):
            raw = stream.readline(MAX_RECORD + 1)  # the rest of a line that was too long
