"""What a file is by its name and its beginning: its format, its encoding, and what structure.py
finds in it. Where the text is among that is fields.py's to guess."""

import re
from itertools import islice
from pathlib import Path, PurePath
from typing import Final

from corpora.errors import UserError
from corpora.recipe import FileFormat, Source
from corpora.source_keys import ROWS
from corpora.sources.archives import damage_of, list_members, open_members
from corpora.sources.recognise import recognise, require_container
from corpora.sources.shards import SUFFIX, guess_format, is_archive
from corpora.sources.streams import UTF_16_MARKS, ByteStream, open_stream
from corpora.survey.plain import count_lines
from corpora.survey.structure import (
    DELIMITERS,
    Look,
    look_at_json,
    look_at_parquet,
    look_at_table,
)

HEAD_BYTES: Final = 1 << 18
"""Bytes of a file that are looked at."""
EXTRACTED_WIKI: Final = re.compile(r'\s*<doc id="')
MEDIAWIKI: Final = re.compile(r"<mediawiki\b")
UNNAMED: Final = Source(name="survey", kind="files", licence="unknown", paths=("*",))


def suffix_of(name: str) -> str:
    """The end of a file's name that says what it is: .jsonl.zst; "" if there's none."""
    found = SUFFIX.search(name)
    return found[0] if found else ""


def look_at(path: Path) -> list[Look]:
    """Look at a file's beginning, or at a member of each suffix in an archive.

    Raises UserError with the reason for what can't be read.
    """
    require_container(path)
    if is_archive(path.name):
        return _look_into_archive(path)
    with damage_of(path), open_stream(path) as stream:
        return [_look_at_stream(path.name, stream)]


def _look_into_archive(path: Path) -> list[Look]:
    """Look at the first member of every suffix; say of which there are others."""
    names: dict[str, list[str]] = {}
    for name in list_members(path):
        names.setdefault(suffix_of(name), []).append(name)
    looks: list[Look] = []
    unread: list[str] = []
    for suffix, members in names.items():
        # With a format, because a name that says none stops the reading.
        chosen = UNNAMED.model_copy(update={"members": (members[0],), "format": "txt"})
        try:
            for member in islice(open_members(chosen, path), 1):
                with open_stream(PurePath(member.name), member.packed) as stream:
                    looks.append(_look_at_stream(member.name, stream))
        except UserError as error:
            unread.append(f"{len(members)} of its members, such as {members[0]!r}: {error}")
            continue
        if len(names) > 1:
            looks[-1].settings["members"] = [f"*{suffix}"] if suffix else members
    if not looks:
        raise UserError("; ".join(unread) or "an archive without files")
    looks[0].unread = unread
    return looks


def _look_at_stream(name: str, stream: ByteStream) -> Look:
    by_name = guess_format(UNNAMED, name)
    if by_name == "parquet":
        return look_at_parquet(stream)
    raw = stream.read(HEAD_BYTES)
    kind = recognise(raw)
    if kind and not kind.is_text:
        raise UserError(f"{kind.name}. {kind.advice}")
    text, encoding = _decode_head(raw)
    if not text.strip():
        raise UserError("no text in it")
    found = _find_format(by_name or "txt", text, is_whole=len(raw) < HEAD_BYTES)
    if kind and found.format in ("txt", "mediawiki") and not MEDIAWIKI.search(text):
        raise UserError(f"{kind.name}. {kind.advice}")
    found.encoding = encoding
    if found.format != by_name:
        found.settings["format"] = found.format
    return found


def _find_format(by_name: FileFormat, text: str, is_whole: bool) -> Look:
    """What a text is, by its name's format and by what it looks like."""
    if by_name == "txt" and EXTRACTED_WIKI.match(text):
        return Look("wikiextractor")
    if by_name == "txt" and MEDIAWIKI.search(text):
        return Look("mediawiki")
    if by_name in ("mediawiki", "wikiextractor", "md"):
        return Look(by_name)
    found = look_at_json(text, by_name) if by_name in ("txt", "json", "jsonl") else None
    if not found and by_name in DELIMITERS:
        found = look_at_table(text, by_name, is_whole)
    if not found and by_name in ROWS:
        return Look(by_name)
    return found or Look("txt", lines=count_lines(text))


def _decode_head(raw: bytes) -> tuple[str, str]:
    """A beginning's text, without what is damaged or cut in it, and its encoding."""
    if raw.startswith(UTF_16_MARKS):
        return raw.decode("utf-16", "ignore"), "UTF-16"
    texts = {"UTF-8": raw.decode("utf-8-sig", "replace"), "CP949": raw.decode("cp949", "replace")}
    encoding = min(texts, key=lambda name: texts[name].count("\ufffd"))
    return texts[encoding].replace("\ufffd", "").replace("\0", ""), encoding
