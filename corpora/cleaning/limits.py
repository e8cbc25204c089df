"""The limits that a source sets on its documents and on their lines: thresholds and their defaults.
filters.py drops what breaks one."""

from pydantic import Field

from corpora.settings import Settings


class Limits(Settings):
    """Thresholds of one source. A recipe changes them for each of its sources."""

    min_chars: int = 1
    """A document with fewer characters after cleaning is dropped; here and below, an emoji and a
    rare Hanja count as two."""
    max_chars: int = Field(default=1_000_000, ge=1)
    """A document, or a piece of one that was cut, with more characters is dropped."""
    min_hangul: float = Field(default=0.3, ge=0, le=1)
    """Least share of Hangul among the letters."""
    max_symbols: float = Field(default=1.0, ge=0, le=1)
    """Greatest share of the characters that are neither letters, digits nor white space."""
    max_repeated_lines: float = Field(default=0.5, ge=0, le=1)
    """Greatest share of the characters in lines that stood earlier in the same document."""
    max_repetition: float = Field(default=0.95, ge=0, le=1)
    """Greatest share of the bytes that zlib saves: plain Korean prose is near 0.55."""
    line_min_chars: int = 0
    """A shorter line of a document is taken out; blank lines stay."""
    line_max_chars: int = 10_000_000
    """A longer line is taken out."""
    line_min_hangul: float = Field(default=0.0, ge=0, le=1)
    """A line with a smaller share of Hangul among its letters is taken out, and one without
    letters."""
    line_max_symbols: float = Field(default=1.0, ge=0, le=1)
    """A line with a greater share of symbols is taken out."""
    line_max_copies: int = Field(default=1_000_000, ge=1)
    """Of equal lines of one document those after this many are taken out."""
