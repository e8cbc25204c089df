"""What a file is by its name and its beginning: its format, its encoding, and what structure.py
finds in it. Where the text is among that is fields.py's to guess."""

import codecs
import re
import shutil
import tempfile
from itertools import islice
from pathlib import Path, PurePath
from typing import Final

from corpora.errors import UserError, as_user_error
from corpora.recipe import FileFormat, Source
from corpora.source_keys import ROWS
from corpora.sources.archives import Member, list_members, open_members
from corpora.sources.recognise import recognise, require_container
from corpora.sources.records import UTF_16_MARKS, UndecodableError, decode
from corpora.sources.shards import SUFFIX, guess_format, is_archive
from corpora.sources.streams import DAMAGE, open_stream
from corpora.survey.plain import count_lines
from corpora.survey.structure import (
    DELIMITERS,
    HEAD_BYTES,
    Look,
    look_at_json,
    look_at_parquet,
    look_at_table,
)

NUM_MEMBERS: Final = 3  # looked at, of an archive's members of one suffix
EXTRACTED_WIKI: Final = re.compile(r'\s*<doc id="')
MEDIAWIKI: Final = re.compile(r"<mediawiki\b")
UNNAMED: Final = Source(name="survey", kind="files", licence="unknown", paths=("*",))


def suffix_of(name: str) -> str:
    """The end of a file's name that says what it is: .jsonl.zst; "" if there's none."""
    found = SUFFIX.search(name)
    return found[0] if found else ""


def look_at(path: Path) -> list[Look]:
    """Look at a file's beginning, or at some members of an archive: one look for those of a suffix.

    Raises UserError with the reason for what can't be read.
    """
    require_container(path)
    if is_archive(path.name):
        return _look_into_archive(path)
    if guess_format(UNNAMED, path.name) == "parquet":
        with as_user_error("damaged or cut short", kinds=DAMAGE):
            return [look_at_parquet(path)]
    with as_user_error("damaged or cut short", kinds=DAMAGE), open_stream(path) as stream:
        return [look_at_beginning(path.name, stream.read(HEAD_BYTES))]


def look_at_beginning(name: str, raw: bytes) -> Look:
    """Look at the first bytes of a file of this name, unpacked.

    Raises UserError with the reason for what is no text.
    """
    kind = recognise(raw)
    if kind and not kind.is_text:
        raise UserError(f"{kind.name}. {kind.advice}")
    text, encoding = _decode_head(raw)
    if not text.strip():
        raise UserError("no text in it")
    by_name = guess_format(UNNAMED, name)
    found = _find_format(by_name or "txt", raw, text)
    if kind and found.format in ("txt", "mediawiki") and not MEDIAWIKI.search(text):
        raise UserError(f"{kind.name}. {kind.advice}")
    found.encoding = encoding
    if found.format != by_name:
        found.settings["format"] = found.format
    return found


def _find_format(by_name: FileFormat, raw: bytes, text: str) -> Look:
    """What a text is, by its name's format and by what it looks like."""
    if by_name == "txt" and EXTRACTED_WIKI.match(text):
        return Look("wikiextractor")
    if by_name == "txt" and MEDIAWIKI.search(text):
        return Look("mediawiki")
    if by_name in ("mediawiki", "wikiextractor", "md"):
        return Look(by_name)
    found = look_at_json(raw, by_name) if by_name in ("txt", "json", "jsonl") else None
    if not found and by_name in DELIMITERS:
        found = look_at_table(text, by_name, is_whole=len(raw) < HEAD_BYTES)
    if not found and by_name in ROWS:
        return Look(by_name)
    return found or Look("txt", lines=count_lines(text))


def _look_into_archive(path: Path) -> list[Look]:
    """Look at the first members of every suffix; say of which there are others."""
    names: dict[str, list[str]] = {}
    for name in list_members(path):
        names.setdefault(suffix_of(name), []).append(name)
    looks: list[Look] = []
    unread: list[str] = []
    for suffix, members in names.items():
        try:
            look = _look_at_members(path, members[:NUM_MEMBERS])
            look.settings["members"] = [f"*{suffix}"]
            looks.append(look)
        except UserError as error:
            unread.append(f"{len(members)} of its members, such as {members[0]!r}: {error}")
    if not looks:
        raise UserError("; ".join(unread) or "an archive without files")
    if len(names) == 1:
        del looks[0].settings["members"]
    looks[0].unread = unread
    return looks


def _look_at_members(path: Path, names: list[str]) -> Look:
    """Look at members of one suffix; those after the first add their samples."""
    # A format, because names that say none stop the reading.
    chosen = UNNAMED.model_copy(update={"members": tuple(names), "format": "txt"})
    looks = [_look_at_member(each) for each in islice(open_members(chosen, path), len(names))]
    for other in looks[1:]:
        looks[0].add(other)
    return looks[0]


def _look_at_member(member: Member) -> Look:
    with open_stream(PurePath(member.name), member.packed) as stream:
        if guess_format(UNNAMED, member.name) != "parquet":
            return look_at_beginning(member.name, stream.read(HEAD_BYTES))
        with tempfile.TemporaryFile() as file:
            shutil.copyfileobj(stream, file)
            return look_at_parquet(file)


def _decode_head(raw: bytes) -> tuple[str, str]:
    """A beginning's text, without what is damaged in it, and the name of its encoding.

    Raises UserError for what is no text.
    """
    if raw.startswith(UTF_16_MARKS):
        return raw[: len(raw) & ~1].decode("utf-16", "ignore"), "UTF-16"
    try:
        text = decode(raw)
    except UndecodableError as error:
        if error.offset < len(raw) - 4:  # not cut at the end
            return _decode_lines(raw)
        raw = raw[: error.offset]
        text = decode(raw)
    except ValueError as error:
        raise UserError(str(error)) from None
    if raw.startswith(codecs.BOM_UTF8):
        return text, "UTF-8 with a byte-order mark"
    return text, "UTF-8" if text.encode() == raw.replace(b"\0", b"") else "CP949"


def _decode_lines(raw: bytes) -> tuple[str, str]:
    texts: list[str] = []
    lines = raw.split(b"\n")
    for line in lines:
        try:
            texts.append(decode(line, is_line=True))
        except ValueError:
            continue
    if len(texts) < len(lines) / 2:
        raise UserError("no text: neither UTF-8 nor CP949")
    return "\n".join(texts), f"damaged in {len(lines) - len(texts)} of the first {len(lines)} lines"
