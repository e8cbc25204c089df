"""A document -> its cleaned text, or the reason why it is dropped.

What every text gets is `normalise`; what a source needs besides is a name in CLEANUPS that its recipe lists.
Nothing here looks at two documents at once: duplicates are dedup.py's job.
"""
import html
import re
import unicodedata
import zlib
from collections.abc import Callable
from itertools import pairwise

import ftfy
import numpy

from corpora import UserError
from corpora.recipe import Recipe, Source, nearest

MAX_RUN = 6
"""Copies of one character, or of a pair, that a run is cut down to by `repeats`."""
SPACE_MARK = "\u2581"
"""SentencePiece writes a space as this character, so a text that holds it can't come back the same."""
FTFY = ftfy.TextFixerConfig(uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False,
                            unescape_html=False, fix_line_breaks=False, normalization=None)
# UTF-8 read as Latin-1 or Windows-1252: a lead byte of two or three bytes, then its continuation bytes.
_REST = "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
_DAMAGED_UTF8 = re.compile(f"[\u00e1-\u00ef]{_REST}{{2}}|[\u00c2\u00c3][\u0080-\u00bf]")
_DAMAGED_CP949 = re.compile("[\u00b0-\u00c8][\u00a1-\u00fe]")
_SUSPECT = re.compile("[\u00b0-\u00c8\u00e1-\u00ef]" + _REST.replace("\u00bf", "\u00fe"))  # either, in one scan
_CONTROL = re.compile("[\0-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028\u2029\u2060\ufeff]")
_LINE_ENDS = re.compile("\r\n|[\u000b\u000c\u0085\u2028\u2029]")
_HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7fb]")
# For every UTF-16 unit: 2 Hangul (syllable, jamo, old jamo), 1 another letter, 0 no letter.
_KINDS = numpy.array([2 if _HANGUL.match(character) else character.isalpha() for character in map(chr, range(65536))],
                     dtype=numpy.uint8)


def check_cleanups(recipe: Recipe) -> None:
    """Raise UserError for a clean-up that doesn't exist."""
    for source in recipe.source:
        for name in source.clean:
            if name not in CLEANUPS:
                raise UserError(f"source {source.name!r}: unknown clean-up {name!r}."
                                f"{nearest(name, list(CLEANUPS))} Known: {', '.join(CLEANUPS)}.")


def clean(source: Source, text: str, title: str = "") -> tuple[str, int, int]:
    """Normalise a document and run its source's clean-ups in their order.

    Returns the text, how many lines' encoding was repaired, and how many U+2581 were replaced.
    """
    if title and not text.startswith(title):
        text = f"{title}\n\n{text}"
    text, num_repaired, num_space_marks = normalise(text)
    for name in source.clean:
        text = CLEANUPS[name](text)
    if not unicodedata.is_normalized("NFC", text) or _CONTROL.search(text) or SPACE_MARK in text:
        text, more_space_marks = compose(text)  # an entity can stand for anything: &#9601; is U+2581
        num_space_marks += more_space_marks
    return text.strip(), num_repaired, num_space_marks


def normalise(text: str) -> tuple[str, int, int]:
    """Repair damaged encodings, drop control characters, compose and replace U+2581.

    NFC only: NFKC makes other letters of ㅋ and ㆍ. Returns the text, the lines repaired and the marks replaced.
    """
    num_repaired = 0
    if _SUSPECT.search(text):
        lines = text.split("\n")
        fixed = [_repair(line) for line in lines]
        num_repaired = sum(map(str.__ne__, lines, fixed))
        text = "\n".join(fixed)
    text, num_space_marks = compose(text)
    return text, num_repaired, num_space_marks


def compose(text: str) -> tuple[str, int]:
    """Text without control characters, in NFC, without U+2581; and how many of the latter were replaced."""
    if _CONTROL.search(text):
        text = _CONTROL.sub("", _LINE_ENDS.sub("\n", text).replace("\r", " "))
    text = unicodedata.normalize("NFC", text)
    num_space_marks = text.count(SPACE_MARK)
    return text.replace(SPACE_MARK, "_") if num_space_marks else text, num_space_marks


def _repair(line: str) -> str:
    if _DAMAGED_CP949.search(line):
        # CP949 read as Latin-1, before ftfy, which makes that worse. Only a whole line that becomes Hangul is
        # believed: `····` alone is valid CP949, too.
        try:
            decoded = line.encode("latin-1").decode("cp949")
        except UnicodeError:
            decoded = ""
        hangul = _HANGUL.findall(decoded)
        if len(set(hangul)) > 1 and len(hangul) * 2 >= sum(not character.isascii() for character in decoded):
            return decoded
    return ftfy.fix_text(line, FTFY) if _DAMAGED_UTF8.search(line) else line


def drop_reason(source: Source, text: str) -> str:
    """Why a cleaned text is dropped, or an empty string."""
    if not text:
        return "empty"
    if len(text) < source.min_chars:
        return "too short"
    if len(text) > source.max_chars:
        return "too long"
    if hangul_share(text) < source.min_hangul:
        return "too little Hangul"
    if "\n" in text and repeated_lines_share(text) > source.max_repeated_lines:
        return "repeated lines"
    if len(text) >= 100 and repetition_share(text) > source.max_repetition:
        return "repetitive"
    return ""


def hangul_share(text: str) -> float:
    """Share of Hangul among the letters of the Basic Multilingual Plane; 0 without letters."""
    kinds = _KINDS[numpy.frombuffer(text.encode("utf-16-le"), dtype="<u2")]
    num_letters = numpy.count_nonzero(kinds)
    return numpy.count_nonzero(kinds == 2) / num_letters if num_letters else 0.0


def repeated_lines_share(text: str) -> float:
    """Share of the characters that stand in lines which stood earlier in the text."""
    lines = [line for line in map(str.strip, text.split("\n")) if line]
    total = sum(map(len, lines))
    return 1 - sum(map(len, set(lines))) / total if total else 0.0


def repetition_share(text: str) -> float:
    """Share of the UTF-8 bytes that zlib's fastest level saves: it sees repeats of any length, spaced or not."""
    raw = text.encode()
    return 1 - len(zlib.compress(raw, 1)) / len(raw)


def split_text(text: str, split: str, size: int) -> list[str]:
    """Cut a text longer than `size` bytes into pieces of at most that, unless one line is longer.

    Cuts fall before articles (`split` "article"), else after blank lines, else after lines. Joined, the pieces
    are the text.
    """
    levels = {"none": (), "article": (_ARTICLE, _BLANK, _LINE), "paragraph": (_BLANK, _LINE)}[split]
    return _split(text, levels, size)


_ARTICLE = re.compile(r"(?m)^(?=[ \t]*제\d+조)")
_BLANK = re.compile(r"(?<=\n\n)(?=[^\n])")
_LINE = re.compile(r"(?<=\n)")


def _split(text: str, levels: tuple[re.Pattern, ...], size: int) -> list[str]:
    if not levels or len(text.encode()) <= size:
        return [text]
    pieces, piece, num_bytes = [], [], 0
    for unit in levels[0].split(text):
        unit_bytes = len(unit.encode())
        if piece and num_bytes + unit_bytes > size:
            pieces.append("".join(piece))
            piece, num_bytes = [], 0
        if unit_bytes > size:
            pieces += _split(unit, levels[1:], size)
        elif unit:
            piece.append(unit)
            num_bytes += unit_bytes
    return [*pieces, "".join(piece)] if piece else pieces


def _entities(text: str) -> str:
    """&lt; &amp;quot; &#39; and the like become characters; a bare & or &copy without its semicolon stays."""
    for _ in range(2):  # twice, for what was escaped twice
        if "&" not in text:
            break
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    return text


def _empty_parentheses(text: str) -> str:
    """Brackets that lost their content to an extractor: 샤오산구(, )는 -> 샤오산구는, 설(逐字, ) -> 설(逐字)."""
    text = _EMPTY_BRACKETS.sub("()", text).replace(" ()", "").replace("()", "")
    return _BEFORE_BRACKET.sub(")", _AFTER_BRACKET.sub("(", text))


def _wiki_marks(text: str) -> str:
    """References, tags, categories, links and formula numbers that an extractor left: [[A|B]] -> B."""
    if "<" in text:
        text = _WIKI_TAG.sub("", _WIKI_REFERENCE.sub("", text))
    if "[[" in text:
        text = _WIKI_LINK.sub(r"\1", _WIKI_CATEGORY.sub("", text))
    return _FORMULA_LINE.sub("", text) if "formula_" in text else text


def _wiki_headings(text: str) -> str:
    """Headings stand as `생애.` in extracts: the full stop goes, and so does a heading with nothing under it."""
    kept, pending = [], []
    for line in text.split("\n"):
        if _WIKI_HEADING.fullmatch(line):
            pending = [line[:-1]]  # of headings that follow each other only the last one can have a body
        elif line.strip():
            kept += [*pending, line]
            pending = []
        elif not pending:
            kept.append(line)
    # A title alone is a redirect or an empty page: nothing of it is text.
    return "\n".join(kept) if sum(1 for line in kept if line.strip()) > 1 else ""


def _front_matter(text: str) -> str:
    """A YAML block at the top of a Markdown file."""
    return _FRONT_MATTER.sub("", text, count=1)


def _code_blocks(text: str) -> str:
    """Fenced code, tags that stand alone on a line, and comments of a Markdown document."""
    return _TAG_LINE.sub("", _COMMENT.sub("", _FENCE.sub("", text)))


def _markdown_marks(text: str) -> str:
    """Marks of Markdown go, their text stays: # 제목, **굵게**, `코드`, [말](주소), 1\\."""
    text = _IMAGE.sub("", _MARKDOWN_HEADING.sub("", text))
    text = _MARKDOWN_LINK.sub(r"\1", text)
    text = _EMPHASIS.sub(r"\2", text)
    return _ESCAPE.sub(r"\1", _INLINE_CODE.sub(r"\1", text))


def _statute_marks(text: str) -> str:
    """Box drawings of statutes and the dates of amendments: 규정한다. <개정 2021.6.15> -> 규정한다."""
    return _BOX_LINE.sub("", _AMENDMENT.sub("", text))


def _page_marks(text: str) -> str:
    """Page numbers (`- 3 -`) of a bill, and its table of old and new wording, whose two columns are interleaved."""
    return _PAGE_MARK.sub("", _COMPARISON.sub("", text))


def _unwrap(text: str) -> str:
    """Join lines that a page's width broke: a blank at a line's end says that a word ended there."""
    lines = [line for line in text.split("\n") if line.strip()]
    joined = lines[:1]
    for previous, line in pairwise(lines):
        full = len(previous.strip()) >= (12 if previous.endswith(" ") else 30)
        if full and not _SENTENCE_END.search(previous) and not _ITEM.match(line):
            joined[-1] += line
        else:
            joined.append(line)
    return "\n".join(joined)


def _repeats(text: str) -> str:
    """ㅋㅋㅋㅋㅋㅋㅋㅋ and ㅋㅎㅋㅎㅋㅎㅋㅎ become six characters long; digits stay, and no syllable is lost."""
    return _RUN.sub(lambda match: match[1] * MAX_RUN if match[1] else match[2] * (MAX_RUN // 2), text)


def _whitespace(text: str) -> str:
    """One space between words, none at the ends of lines, and at most one blank line."""
    for space in _OTHER_SPACES:  # these tests take a fraction of what the same regular expressions take
        text = text.replace(space, " ")
    if "  " in text:
        text = _SPACES.sub(" ", text)
    if " \n" in text or "\n " in text:
        text = text.replace(" \n", "\n").replace("\n ", "\n")
    return _BLANK_LINES.sub("\n\n", text) if "\n\n\n" in text else text


CLEANUPS: dict[str, Callable[[str], str]] = {function.__name__[1:]: function for function in (
    _entities, _empty_parentheses, _wiki_marks, _wiki_headings, _front_matter, _code_blocks, _markdown_marks,
    _statute_marks, _page_marks, _unwrap, _repeats, _whitespace)}
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_EMPTY_BRACKETS = re.compile(r"\([\s,;:·/]{0,20}\)")
_AFTER_BRACKET = re.compile(r"\(\s?[,;][\s,;]*")
_BEFORE_BRACKET = re.compile(r"[,;][\s,;]{0,20}\)")
_WIKI_REFERENCE = re.compile(r"<ref[^<>/]*>.{0,2000}?</ref>|<ref[^<>]*/>", re.DOTALL)
_WIKI_TAG = re.compile(
    r"</?(?:ref|br|onlyinclude|noinclude|includeonly|nowiki|small|sub|sup|center|div|span|b|i|u)\b[^<>]*>")
_FORMULA_LINE = re.compile(r"(?m)^(?:formula_\d+[\s,.:;]*)+$")
_WIKI_CATEGORY = re.compile(r"\[\[(?:분류|파일|그림|Category|File|Image):[^\[\]]*\]\]?")
_WIKI_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_WIKI_HEADING = re.compile(r"(?!(?!개요).*[다요까음함됨임]\.$)[^.\n]{1,40}\.")
_FRONT_MATTER = re.compile(r"\A\s*---\n.*?\n---\s*\n", re.DOTALL)
_FENCE = re.compile(r"(?ms)^[ \t]*(```+|~~~+).*?^[ \t]*\1[ \t]*$")
_COMMENT = re.compile(r"\{/\*.*?\*/\}|<!--.*?-->", re.DOTALL)
_TAG_LINE = re.compile(r"(?m)^[ \t]*</?[A-Za-z][^<>]*>[ \t]*$")
_MARKDOWN_HEADING = re.compile(r"(?m)^[ \t]*#{1,6}[ \t]+")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)|<img\b[^<>]*>(?:</img>)?")
_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]+)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)")
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_INLINE_CODE = re.compile(r"`([^`\n]+)`")
_ESCAPE = re.compile(r"\\([\\.*_\[\](){}#+\-!`<>~|])")
_AMENDMENT = re.compile(r"[ \t]*<(?:개정|신설|시행일)[^<>]*>|\[(?:전문개정|본조신설|제목개정|종전)[^\[\]\n]*\]")
_BOX_LINE = re.compile(r"(?m)^.*[─━│┃┌┐└┘├┤┬┴┼].*$")
_PAGE_MARK = re.compile(r"(?m)^[ \t]*-[ \t]*\d+[ \t]*-[ \t]*$|^.*-{3,}.*$")
_COMPARISON = re.compile(r"(?ms)^[ \t]*신[ \t]*[·ㆍ･․⋅][ \t]*구[ \t]*조문[ \t]*대비표.*?(?=^[^\n]*비용추계서|\Z)")
_SENTENCE_END = re.compile(r"[.?!:)\]」』”>][ \t]*$")
_ITEM = re.compile(r"  |\s*(?:[-○□*※①-⑳<]|제\d+조)")
_RUN = re.compile(rf"([^\d\s])\1{{{MAX_RUN},}}|([^\d\s]{{2}})\2{{{MAX_RUN // 2},}}")
_OTHER_SPACES = "\t\u00a0\u2002\u2003\u2005\u2009\u200a\u202f\u3000"
_SPACES = re.compile(r" {2,}")
_BLANK_LINES = re.compile(r"\n{3,}")
