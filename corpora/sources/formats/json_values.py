"""Bytes of JSON, cut into the values that stand in them; what a value says is for `json` to read.

Cut by hand, because streaming parsers read them, too. ijson 3.6 with its C backend was tried: it
writes ? for half a surrogate pair, ends the file at NaN and at a byte that is no UTF-8, and a
number of 5,000 digits ends the process. Here such a value is one bad record, as on a line of its
own. Brackets, quotes and backslashes are the same bytes in UTF-8 and in CP949, and never part of
another character."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Final

from corpora.sources.records import MAX_RECORD, decode
from corpora.sources.streams import ByteStream

CHUNK: Final = 1 << 20  # bytes read at a time, three of them at least
SPACE: Final = re.compile(rb"[ \t\r\n]*+")
SCALAR: Final = re.compile(rb'[^\s,:"\[\]{}]*+')
STRING_REST: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
"""From inside a string to its closing quote."""
BETWEEN_BRACKETS: Final = re.compile(
    rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+', re.DOTALL
)
"""Up to a bracket outside strings, or to the quote of a string that isn't closed in the buffer."""


class BrokenJsonError(ValueError):
    """Brackets, commas or quotes aren't where JSON has them; says where."""


class JsonBytes:
    """A stream of JSON, taken value by value in the memory of one value."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._buffer = b""
        self._start = 0  # of what isn't taken yet
        self._num_dropped = 0  # bytes before the buffer
        self._line = 1
        self.value_line = 1  # on which the value taken last begins
        self.value_byte = 0  # at which it begins, counted from 0
        self._read_more()
        if self._buffer.startswith(codecs.BOM_UTF8):
            self._start = len(codecs.BOM_UTF8)

    @property
    def place(self) -> str:
        """Where the stream stands."""
        return f"line {self._line}, byte {self._num_dropped + self._start}"

    def peek(self) -> bytes:
        """Return the next byte that is no white space; nothing at the end."""
        while True:
            self._advance(_match_end(SPACE, self._buffer, self._start))
            if self._start < len(self._buffer):
                return self._buffer[self._start : self._start + 1]
            if not self._read_more():
                return b""

    def take(self, expected: bytes) -> bytes:
        """Take one of the expected bytes.

        Raises BrokenJsonError if another stands there.
        """
        found = self.peek()
        if not found or found not in expected:
            named = " or ".join(expected.decode())
            instead = f"{found.decode('ascii', 'backslashreplace')} stands" if found else "it ends"
            raise BrokenJsonError(f"at {self.place} {instead} where {named} should")
        self._advance(self._start + 1)
        return found

    def take_value(self, limit: int = MAX_RECORD) -> bytes:
        """Take the next value; of one longer than `limit` bytes, more bytes than that, not all.

        Raises BrokenJsonError if none stands there or the stream ends inside it.
        """
        first = self.peek()
        self.value_line = self._line
        self.value_byte = self._num_dropped + self._start
        if not first or first not in b'"[{':
            return self._take_scalar()
        start_of_long = b""
        depth = 0
        in_string = first == b'"'
        at = self._start + in_string
        while True:
            at, depth, in_string = _pass_over(self._buffer, at, depth, in_string)
            if not depth and not in_string:
                break
            if at - self._start > limit:
                start_of_long = start_of_long or self._buffer[self._start : at]
                self._advance(at)
            at -= self._start
            if not self._read_more():
                raise BrokenJsonError(f"the file ends inside what begins at {self._value_place()}")
        value = start_of_long or self._buffer[self._start : at]
        self._advance(at)
        return value

    def elements(self) -> Iterator[bytes]:
        """Take an array, element by element; a comma after the last one is let pass."""
        self.take(b"[")
        while self.peek() != b"]":
            yield self.take_value()
            if self.take(b",]") == b"]":
                return
        self.take(b"]")

    def members(self) -> Iterator[str]:
        """Take an object and yield its keys; after each the caller takes the value."""
        self.take(b"{")
        while self.peek() != b"}":
            key = _to_key(self.take_value())
            self.take(b":")
            yield key
            if self.take(b",}") == b"}":
                return
        self.take(b"}")

    def _take_scalar(self) -> bytes:
        end = self._start
        while (end := _match_end(SCALAR, self._buffer, end)) == len(self._buffer):
            end -= self._start
            if not self._read_more() or end > MAX_RECORD:
                break
        value = self._buffer[self._start : end]
        if not value:
            raise BrokenJsonError(f"at {self.place} a value is missing")
        self._advance(end)
        return value

    def _value_place(self) -> str:
        return f"line {self.value_line}, byte {self.value_byte}"

    def _advance(self, end: int) -> None:
        self._line += self._buffer.count(b"\n", self._start, end)
        self._start = end

    def _read_more(self) -> bool:
        """Put what isn't taken and the next bytes of the stream into a new buffer."""
        chunk = self._stream.read(CHUNK)
        self._num_dropped += self._start
        self._buffer = self._buffer[self._start :] + chunk
        self._start = 0
        return bool(chunk)


def _pass_over(buffer: bytes, at: int, depth: int, in_string: bool) -> tuple[int, int, bool]:
    """Go to the end of the value, which is at depth 0 outside a string, or of the buffer."""
    while at < len(buffer):
        if in_string:
            at = _match_end(STRING_REST, buffer, at)
            if buffer[at : at + 1] != b'"':  # the end, perhaps between a backslash and its letter
                break
            in_string = False
        else:
            at = _match_end(BETWEEN_BRACKETS, buffer, at)
            bracket = buffer[at : at + 1]
            if not bracket:
                break
            if bracket == b'"':
                in_string = True
            else:
                depth += 1 if bracket in b"[{" else -1
        at += 1
        if not depth and not in_string:
            break
    return at, depth, in_string


def _match_end(pattern: re.Pattern[bytes], buffer: bytes, at: int) -> int:
    found = pattern.match(buffer, at)
    return found.end() if found else at


def _to_key(raw: bytes) -> str:
    """A key as text; one that can't be read is none that a source names."""
    try:
        return str(json.loads(decode(raw)))
    except ValueError:
        return raw.decode("ascii", "backslashreplace")
