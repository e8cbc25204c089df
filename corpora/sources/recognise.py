"""What a file is by its first bytes, and what to do with one that can't be read. Nothing is read
further than that, and nothing heavy is imported."""

import re
from pathlib import Path
from typing import Final, NamedTuple

from corpora.errors import require

START_BYTES: Final = 512
"""First bytes that tell; tar's name comes last, at 257."""
PARQUET: Final = "a Parquet file"
UNPACK: Final = "Unpack it, or pack it again as .zip or .tar.gz."
AS_TEXT: Final = "Save its text as .txt (UTF-8)"
AS_ITS_NAME: Final = "Let its name end in {}, which says how it is read."


class Kind(NamedTuple):
    """A kind of file: how it begins, what it is called, and what the user can do."""

    pattern: str  # over the first bytes as Latin-1
    name: str
    advice: str
    is_text: bool = False  # and may be meant: a page of HTML in a .txt


KINDS: Final = (
    # zip files of other names first
    Kind(
        r"PK\x03\x04.{26}mimetypeapplication/hwp\+zip",
        "an HWPX document (Hangul)",
        f"{AS_TEXT} from Hangul.",
    ),
    Kind(
        r"PK\x03\x04.{26}mimetypeapplication/epub\+zip",
        "an EPUB book",
        f"{AS_TEXT}, by Calibre's ebook-convert or by pandoc.",
    ),
    Kind(
        r"PK\x03\x04.{26}(?:\[Content_Types\]\.xml|_rels/|docProps/|word/|xl/|ppt/)",
        "an Office document (.docx, .xlsx, .pptx)",
        f"{AS_TEXT}, or a sheet as .csv.",
    ),
    Kind(
        r"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis",
        "an OpenDocument file",
        f"{AS_TEXT}, or a sheet as .csv.",
    ),
    Kind(r"PK(?:\x03\x04|\x05\x06|\x07\x08)", "a zip archive", AS_ITS_NAME.format(".zip")),
    Kind(
        r"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an HWP document (Hangul) or an old Office document (.doc, .xls, .ppt)",
        f"{AS_TEXT} from Hangul or Office, or by hwp5txt (pyhwp).",
    ),
    Kind(r"HWP Document File", "an HWP document (Hangul 3)", f"{AS_TEXT} from Hangul."),
    Kind(r"%PDF-\d", "a PDF document", f"{AS_TEXT}, by pdftotext."),
    Kind(r"\{\\rtf\d", "an RTF document", f"{AS_TEXT} from a word processor."),
    Kind(r"\x1f\x8b\x08", "a gzip file", AS_ITS_NAME.format(".gz")),
    Kind(r"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", "a bzip2 file", AS_ITS_NAME.format(".bz2")),
    Kind(r"\xfd7zXZ\x00", "an xz file", AS_ITS_NAME.format(".xz")),
    Kind(r"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", "a zstd file", AS_ITS_NAME.format(".zst")),
    Kind(r".{257}ustar", "a tar archive", AS_ITS_NAME.format(".tar")),
    Kind(r"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    Kind(r"Rar!\x1a\x07", "a RAR archive", UNPACK),
    Kind(r"ALZ\x01", "an ALZ archive (ALZip)", UNPACK),
    Kind(r"EGGA\x00\x01", "an EGG archive (ALZip)", UNPACK),
    Kind(r"PAR1\x15", PARQUET, AS_ITS_NAME.format(".parquet")),
    Kind(
        r"ARROW1\x00\x00|\xff{4}.{3}\x00\x10\x00\x00\x00",
        "an Arrow file",
        "Save it as .parquet: Dataset.to_parquet of the library datasets.",
    ),
    Kind(r"SQLite format 3\x00", "an SQLite database", "Export its table as .csv."),
    Kind(
        r"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a.[\x00-\x1f]|II\*\x00|MM\x00\*"
        r"|RIFF.{4}(?:WEBP|WAVE|AVI )|ID3[\x02-\x04]\x00|OggS\x00|fLaC\x00"
        r"|.{4}ftyp[a-zA-Z0-9 ]{4}\x00",
        "a picture, sound or video",
        "Take it out of the recipe's paths.",
    ),
    Kind(
        r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b",
        "an HTML page",
        f"{AS_TEXT}, by trafilatura or html2text.",
        is_text=True,
    ),
    Kind(
        r"\s*<\?xml\b",
        "an XML file",
        f"{AS_TEXT}, or as .jsonl, an object a document.",
        is_text=True,
    ),
)
_PATTERNS: Final = [
    re.compile(kind.pattern, re.S | re.I if kind.is_text else re.S) for kind in KINDS
]
CONTAINERS: Final = {
    ".gz": "a gzip file",
    ".tgz": "a gzip file",
    ".bz2": "a bzip2 file",
    ".tbz2": "a bzip2 file",
    ".xz": "an xz file",
    ".txz": "an xz file",
    ".zst": "a zstd file",
    ".tar": "a tar archive",
    ".zip": "a zip archive",
}


def recognise(start: bytes) -> Kind | None:
    """Return the kind of file that begins like this, or None for text and what isn't known."""
    text = start[:START_BYTES].decode("latin-1").removeprefix("ï»¿")
    for kind, pattern in zip(KINDS, _PATTERNS):
        if pattern.match(text):
            return kind
    return None


def recognise_file(path: Path) -> Kind | None:
    """The same of a file, which may not be there."""
    return recognise(_read_start(path)) if path.is_file() else None


def _read_start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(START_BYTES)


def require_container(path: Path) -> None:
    """Raise UserError, with what it is, for a file that isn't packed as its suffix says.

    An empty file, one that begins like a zip, and one without such a suffix pass.
    """
    expected = CONTAINERS.get(path.suffix.lower())
    start = _read_start(path) if expected else b""
    if not start:
        return
    kind = recognise(start)
    found = "something unknown"
    if kind:
        found = kind.name
    elif not re.search(rb"[\x00-\x08\x0e-\x1f]", start):
        found = "plain text"
    # An old tar has no name in it, and a zip may follow a program that unpacks it.
    is_open = path.suffix.lower() in (".tar", ".zip") and not kind
    require(
        found == expected or (is_open and found != "plain text"),
        f"{path}: misnamed or damaged: it should be {expected}, but begins like {found}. Rename "
        "it, or get it again.",
    )
