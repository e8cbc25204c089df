"""Paths as people type them -> the files and folders that are meant. The same name may stand on the
disk in another normal form (macOS writes 가 as two letters) or in CP949; patterns are globs, but
what exists as it is spelt is that file."""

import fnmatch
import glob
import os
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

from corpora.errors import require


def find_path(typed: str | Path) -> Path:
    """Return the path as it was typed if it exists, else the one that differs from it in its normal
    form only, else the path as it was typed.

    Raises UserError when there are several of the latter.
    """
    path = Path(typed)
    if path.exists() or str(path).isascii():
        return path
    parts = map(glob.escape, path.relative_to(path.anchor).parts)
    found = list(_follow(Path(path.anchor), tuple(parts)))
    require(
        len(found) < 2,
        f"{path}: there are {len(found)} of this name, in other normal forms of Unicode. Rename "
        "one of them.",
    )
    return found[0] if found else path


def match_paths(pattern: str, root: Path) -> list[Path]:
    """Return the files and folders that a pattern under a folder means, in one order on all
    machines.

    `**` stands for any folders. A wildcard doesn't match a hidden file. Raises OSError for a folder
    that can't be read.
    """
    path = root / pattern
    start = Path(path.anchor) if Path(pattern).is_absolute() else root
    parts = path.relative_to(start).parts
    return sorted(set(_follow(start, parts)), key=_order)


def composed(path: str) -> str:
    """Return a path in the form in which it is matched and reported, whatever machine it is from.

    Old archives from Windows leave names in CP949, which Python has as lone surrogates on Linux.
    """
    return "/".join(normalize("NFC", _decode_name(name)) for name in path.split("/"))


def escaped(text: str) -> str:
    """Return a text that holds names with escapes for what UTF-8 has no bytes for."""
    return text.encode("utf-8", "backslashreplace").decode()


def _decode_name(name: str) -> str:
    if escaped(name) == name:
        return name
    try:
        return os.fsencode(name).decode("cp949")
    except UnicodeError:
        return escaped(name)


def _follow(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    """Yield what the parts of a path mean under a folder."""
    if not parts:
        yield folder
        return
    part, *rest = parts
    if part == "**":
        yield from _follow(folder, tuple(rest or ("*",)))
        for child in _children(folder, "*"):
            if child.is_dir() and not _leads_back(child):
                yield from _follow(child, parts)
        return
    for child in _children(folder, part):
        if not rest or child.is_dir():
            yield from _follow(child, tuple(rest))


def _children(folder: Path, part: str) -> list[Path]:
    """What one part of a path means in a folder: what is so named in any form, else what it
    matches."""
    if part == ".." or (part.isascii() and not glob.has_magic(part)):
        child = folder / part
        return [child] if os.path.lexists(child) else []
    if not folder.is_dir():
        return []
    wanted = composed(part)
    forms = {child: composed(child.name) for child in folder.iterdir()}
    named = [child for child, form in forms.items() if form == wanted]
    return named or [
        child
        for child, form in forms.items()
        if fnmatch.fnmatchcase(form, wanted) and (wanted[0] == "." or form[0] != ".")
    ]


def _order(path: Path) -> tuple[list[str], bool, Path]:
    """The same for names of all forms; of two that differ in their form alone NFC comes first."""
    parts = [composed(part) for part in path.parts]
    return parts, list(path.parts) != parts, path


def _leads_back(folder: Path) -> bool:
    """Whether this is a link to a folder that it lies in."""
    return folder.is_symlink() and folder.resolve() in [each.resolve() for each in folder.parents]
