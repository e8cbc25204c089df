"""Zip and tar archives as streams of their members, one after another: nothing is unpacked to disk.
What a member's bytes mean is read.py's job."""

import io
import re
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from fnmatch import fnmatchcase
from pathlib import Path
from tarfile import (
    EOFHeaderError,  # pyright: ignore[reportAttributeAccessIssue]: not in the stubs
    HeaderError,
    ReadError,
    TarError,
    TarFile,
    TarInfo,
)
from typing import IO, Any, Final, NamedTuple, Self, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

from corpora.errors import UserError, as_user_error, require
from corpora.paths import composed
from corpora.recipe import Source
from corpora.source_keys import require_keys_of_format
from corpora.sources.shards import FORMATS, guess_format, is_archive
from corpora.sources.streams import DAMAGE, ByteStream, open_stream

_ADVICE: Final = "Get the file again, or take it out of the recipe's paths."
CHUNK: Final = 1 << 16  # bytes read at a time
UTF_8_FLAG: Final = 0x800
ENCRYPTED_FLAG: Final = 1
LITTER: Final = re.compile(r"(?:.*/)?(?:__MACOSX/.*|\._[^/]*|\.DS_Store|Thumbs\.db|desktop\.ini)")
"""What operating systems leave in archives."""
NUM_LISTED: Final = 5
ARCHIVE_DAMAGE: Final = (*DAMAGE, BadZipFile, TarError, NotImplementedError)


class Member(NamedTuple):
    """A file in an archive, as it lies there: perhaps compressed once more."""

    name: str
    packed: io.BufferedReader


class _View(io.RawIOBase):
    """A stream that stays open when a reader closes what it was given."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill as much of the buffer as the stream has at once."""
        raw = self._stream.read(len(buffer))
        buffer[: len(raw)] = raw
        return len(raw)


def _drain(stream: IO[bytes] | ByteStream) -> None:
    """Read to the end, where a checksum is compared, whatever the reader left."""
    while stream.read(CHUNK):
        pass


def damage_of(path: Path, member: str = "") -> AbstractContextManager[None]:
    """Turn what reading a damaged archive raises into a UserError with its name."""
    what = f"{path}, member {member!r}" if member else str(path)
    return as_user_error(f"{what}: damaged or cut short", _ADVICE, ARCHIVE_DAMAGE)


def open_members(source: Source, path: Path) -> Iterator[Member]:
    """Yield the members that the source chooses: a zip's in the order of their names, a tar's as
    they come.

    Each has to be read before the next one is asked for. Raises UserError for a damaged archive,
    for members that can't be read, and where none is chosen.
    """
    with damage_of(path):
        if path.suffix.lower() == ".zip":
            yield from _open_zip(source, path)
        else:
            yield from _open_tar(source, path)


def list_members(path: Path) -> list[str]:
    """Return the names of an archive's files, in order, without what operating systems leave in it.

    Raises UserError for a damaged archive.
    """
    with damage_of(path):
        if path.suffix.lower() == ".zip":
            with ZipFile(path) as archive:
                names = [_zip_name(info) for info in archive.infolist() if not info.is_dir()]
        else:
            with (
                open_stream(path) as stream,
                TarFile.open(fileobj=stream, mode="r|", tarinfo=_StrictTarInfo) as archive,
            ):
                names = [composed(info.name) for info in archive if not info.isdir()]
    return sorted(name for name in names if not LITTER.fullmatch(name))


def _open_zip(source: Source, path: Path) -> Iterator[Member]:
    with ZipFile(path) as archive:
        names = [(_zip_name(info), info) for info in archive.infolist() if not info.is_dir()]
        names.sort(key=lambda entry: (entry[0], entry[1].header_offset))
        chosen = [entry for entry in names if _is_chosen(source, entry[0])]
        _require_chosen(source, path, bool(chosen), [name for name, _ in names[:NUM_LISTED]])
        for name, info in chosen:
            _check_name(source, path, name)
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            require(not is_link, _refusal(path, name, "a link"))
            require(
                not info.flag_bits & ENCRYPTED_FLAG,
                f"{path}, member {name!r}: needs a password. Unpack the archive with it, and read "
                "the files or an archive without one.",
            )
        for name, info in chosen:
            with damage_of(path, name), archive.open(info) as packed:
                yield Member(name, io.BufferedReader(_View(packed), CHUNK))
                _drain(packed)


def _zip_name(info: ZipInfo) -> str:
    r"""A member's path: in UTF-8, which macOS doesn't flag, or as Windows in Korea writes it.

    Python reads a name without the flag as CP437, which has a letter for each byte. Some programs
    write \ for /.
    """
    name = info.orig_filename
    if not info.flag_bits & UTF_8_FLAG:
        raw = name.encode("cp437")
        for encoding in ("utf-8", "cp949", "cp437"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return composed(name.replace("\\", "/"))


class _StrictTarInfo(TarInfo):
    """A header that isn't taken for the archive's end where it is damaged or missing, as tarfile
    takes it: the rest would be lost without a word. Seen in Python 3.11's TarFile.next."""

    @classmethod
    def fromtarfile(cls, tarfile: TarFile) -> Self:
        try:
            return cast(Self, super().fromtarfile(tarfile))
        except EOFHeaderError:
            raise
        except HeaderError as error:
            raise ReadError(f"a member's header, or the archive's end mark: {error}") from error


def _open_tar(source: Source, path: Path) -> Iterator[Member]:
    num_chosen = 0
    names: list[str] = []
    with (
        open_stream(path) as stream,
        TarFile.open(fileobj=stream, mode="r|", tarinfo=_StrictTarInfo) as archive,
    ):
        while info := archive.next():
            # The list grows with every member. The stubs don't have it.
            archive.members.clear()  # pyright: ignore[reportAttributeAccessIssue]
            name = composed(info.name)
            if info.isdir():
                continue
            if len(names) < NUM_LISTED:
                names.append(name)
            if not _is_chosen(source, name):
                continue
            num_chosen += 1
            _check_name(source, path, name)
            packed = archive.extractfile(info) if info.isreg() else None
            if packed is None:
                raise UserError(_refusal(path, name, "a link or a device"))
            with damage_of(path, name), packed:
                yield Member(name, io.BufferedReader(_View(packed), CHUNK))
                _drain(packed)
        _drain(stream)
    _require_chosen(source, path, bool(num_chosen), names)


def _is_chosen(source: Source, name: str) -> bool:
    if LITTER.fullmatch(name):
        return False
    patterns = [composed(pattern) for pattern in source.members]
    # A name that is spelt like a pattern is meant, too: [ ] is a class in one.
    return not patterns or any(name == each or fnmatchcase(name, each) for each in patterns)


def _check_name(source: Source, path: Path, name: str) -> None:
    """Raise UserError for a member that can't be read whatever it holds."""
    is_outside = name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name)
    require(
        not is_outside,
        f"{path}, member {name!r}: a path outside the archive's folder. Pack the archive again.",
    )
    require(not is_archive(name), _refusal(path, name, "an archive inside the archive"))
    format_name = guess_format(source, name)
    require(
        format_name,
        f"{path}, member {name!r}: format unknown. Choose what to read with members = "
        f'["*.json"] in source {source.name!r}, or set format: one of {", ".join(FORMATS)}.',
    )
    require_keys_of_format(source, format_name, f"{path}, member {name!r}")


def _refusal(path: Path, name: str, what: str) -> str:
    return (
        f"{path}, member {name!r}: {what}, which isn't read. Unpack the archive, or leave this out "
        "with the source's members."
    )


def _require_chosen(source: Source, path: Path, is_any: bool, names: list[str]) -> None:
    patterns = f" matches members = {list(source.members)}" if source.members else " can be read"
    require(
        is_any,
        f"{path}: no member{patterns} in source {source.name!r}. It holds: "
        f"{', '.join(map(repr, names)) or 'nothing'}.",
    )
