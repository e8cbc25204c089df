"""A document -> its cleaned text, or the reason why it, or a line of it, is dropped. Every text gets `normalise`;
what a source needs besides, its recipe names: substitutions from cleanups.toml or the recipe, or a function below."""
import html
import re
import unicodedata
import zlib
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import ftfy
import numpy as np

from corpora.duplicates.dedup import HANGUL, KINDS, LETTER, SPACE, SYMBOL, Texts
from corpora.errors import as_user_error, require
from corpora.recipe import Recipe, Source
from corpora.settings import nearest, read_toml

SPACE_MARK = "\u2581"  # SentencePiece writes a space as this, so a text that holds it can't come back the same
FTFY = ftfy.TextFixerConfig(uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False,
                            unescape_html=False, fix_line_breaks=False, normalization=None)
SHAPES = {name: re.compile(shape) for name, shape in read_toml(Path(__file__).with_name("patterns.toml")).items()}


def load_cleanups(recipe: Recipe) -> dict[str, Callable[[str], str]]:
    """Every clean-up that the recipe's sources may name; raises UserError for one that doesn't exist or isn't valid."""
    table = read_toml(Path(__file__).with_name("cleanups.toml")) | recipe.cleanup
    cleanups = FUNCTIONS | {name: _substitutions(name, entry) for name, entry in table.items()}
    for source in recipe.source:
        for name in source.clean:
            require(name in cleanups, f"source {source.name!r}: unknown clean-up {name!r}."
                    f"{nearest(name, list(cleanups))} Known: {', '.join(cleanups)}.")
    return cleanups


def _substitutions(name: str, entry: dict) -> Callable[[str], str]:
    needed = f"clean-up {name!r}: needs replace = [[needs, pattern, replacement], ...] with valid regular expressions"
    with as_user_error(needed, kinds=(KeyError, TypeError, ValueError, re.error)):
        steps = [(needs, re.compile(pattern), replacement) for needs, pattern, replacement in entry["replace"]]
        for _, pattern, replacement in steps:
            pattern.sub(replacement, "")  # a bad replacement is told now

    def run(text: str) -> str:
        for needs, pattern, replacement in steps:
            if needs in text:
                text = pattern.sub(replacement, text)
        return text
    return run


def clean(text: str, title: str, steps: list[Callable[[str], str]]) -> tuple[str, int, int]:
    """Normalise a document and run its source's clean-ups in their order. Returns what `normalise` does."""
    if not text.startswith(title):
        text = f"{title}\n\n{text}"
    text, num_repaired, num_space_marks = normalise(text)
    entities = "&" in text  # one can stand for anything: &#9601; is U+2581
    for step in steps:
        text = step(text)
    if entities or not unicodedata.is_normalized("NFC", text):
        text, more_space_marks = compose(text)
        num_space_marks += more_space_marks
    return text.strip(), num_repaired, num_space_marks


def normalise(text: str) -> tuple[str, int, int]:
    """Repair damaged encodings, drop control characters, compose (NFC only: NFKC makes other letters of ㅋ and ㆍ) and
    replace U+2581. Returns the text, how many lines were repaired and how many marks replaced."""
    num_repaired = 0
    if SHAPES["suspect"].search(text):
        lines = text.split("\n")
        fixed = [_repair(line) for line in lines]
        num_repaired = sum(map(str.__ne__, lines, fixed))
        text = "\n".join(fixed)
    text, num_space_marks = compose(text)
    return text, num_repaired, num_space_marks


def compose(text: str) -> tuple[str, int]:
    """Text without control characters, in NFC, without U+2581; and how many of the latter were replaced."""
    if SHAPES["control"].search(text):
        text = SHAPES["control"].sub("", SHAPES["line_end"].sub("\n", text).replace("\r", " "))
    text = unicodedata.normalize("NFC", text)
    return text.replace(SPACE_MARK, "_"), text.count(SPACE_MARK)


def _repair(line: str) -> str:
    if SHAPES["damaged_cp949"].search(line):
        with suppress(UnicodeError):  # before ftfy makes it worse; `····` is valid CP949, too: only Hangul is believed
            decoded = line.encode("latin-1").decode("cp949")
            hangul = [character for character in decoded if KINDS[ord(character)] == HANGUL]
            if len(set(hangul)) > 1 and len(hangul) * 2 >= sum(not character.isascii() for character in decoded):
                return decoded
    return ftfy.fix_text(line, FTFY) if SHAPES["damaged_utf8"].search(line) else line


def drop_lines(texts: Texts, raw: list[str], source: Source) -> tuple[list[str], list[tuple[int, str, str]]]:
    """The documents without the lines that their source's line limits drop; and (document, line, reason) of those."""
    starts, ends = texts.lines
    hangul, letters = (texts.count(texts.kinds_U >= kind, starts, ends) for kind in (HANGUL, LETTER))
    reasons = np.select(
        [texts.count(texts.kinds_U != SPACE, starts, ends) == 0,
         ends - starts < source.line_min_chars,
         ends - starts > source.line_max_chars,
         hangul < np.maximum(source.line_min_hangul * letters, source.line_min_hangul > 0),
         texts.count(texts.kinds_U == SYMBOL, starts, ends) > source.line_max_symbols * (ends - starts),
         texts.line_copies >= source.line_max_copies],
        ["", "line too short", "line too long", "line with too little Hangul", "line of symbols", "line repeated"], "")
    documents, dropped, raw = texts.line_documents, [], list(raw)
    for document in np.unique(documents[reasons != ""]).tolist():
        here = reasons[slice(*np.searchsorted(documents, [document, document + 1]))].tolist()
        lines = list(zip(raw[document].split("\n"), here))
        dropped += [(document, line, reason) for line, reason in lines if reason]
        raw[document] = re.sub("\n{3,}", "\n\n", "\n".join(line for line, reason in lines if not reason)).strip()
    return raw, dropped


def drop_reasons(texts: Texts, raw: list[str], source: Source) -> list[str]:
    """Why each cleaned document is dropped, or an empty string."""
    ends_D = texts.ends_D - 1  # without the line end that Texts adds
    sizes = ends_D - texts.starts_D
    hangul, letters = (texts.count(texts.kinds_U >= kind, texts.starts_D, ends_D) for kind in (HANGUL, LETTER))
    starts, ends = texts.lines
    lengths, first_lines = ends - starts, np.searchsorted(starts, texts.starts_D)
    repeated, in_lines = (np.add.reduceat(each, first_lines) for each in (lengths * (texts.line_copies > 0), lengths))
    reasons = np.select(
        [sizes == 0,
         sizes < source.min_chars,
         hangul < np.maximum(source.min_hangul * letters, source.min_hangul > 0),
         texts.count(texts.kinds_U == SYMBOL, texts.starts_D, ends_D) > source.max_symbols * sizes,
         repeated > source.max_repeated_lines * in_lines],
        ["empty", "too short", "too little Hangul", "too many symbols", "repeated lines"], "").tolist()
    return [reason or ("repetitive" if len(text) >= 100 and repetition_share(text) > source.max_repetition else "")
            for reason, text in zip(reasons, raw)]


def repetition_share(text: str) -> float:
    """Share of the UTF-8 bytes that zlib's fastest level saves: it sees repeats of any length, spaced or not."""
    raw = text.encode()
    return 1 - len(zlib.compress(raw, 1)) / len(raw)


FINER = {"article": "paragraph", "paragraph": "line", "line": "none"}  # how pieces that are too long are cut


def split_text(text: str, split: str, size: int) -> list[str]:
    """Cut a text longer than `size` bytes into pieces of at most that, unless one line is longer. Cuts fall before
    articles (`split` "article"), else after blank lines, else after lines. Joined, the pieces are the text."""
    if split == "none" or len(text.encode()) <= size:
        return [text]
    pieces, room = [], 0  # bytes that the last piece may still take
    cuts = (match.start() for match in SHAPES[split].finditer(text))
    for unit in filter(None, (text[start:end] for start, end in pairwise([0, *cuts, len(text)]))):
        num_bytes = len(unit.encode())
        if num_bytes <= room:
            pieces[-1] += unit
            room -= num_bytes
        else:
            pieces += split_text(unit, FINER[split], size)
            room = size - num_bytes  # none below a unit that was cut
    return pieces


def _entities(text: str) -> str:
    """&lt; &amp;quot; &#39; and the like become characters; a bare & or &copy without its semicolon stays."""
    for _ in range(2 if "&" in text else 0):  # twice, for what was escaped twice
        text = SHAPES["entity"].sub(lambda match: html.unescape(match[0]), text)
    return text


def _wiki_headings(text: str) -> str:
    """Headings stand as `생애.` in extracts: the full stop goes, and so does a heading with nothing under it. Of notes,
    literature and links only sentences stay, and nothing of a page that says only that its title is ambiguous."""
    kept, pending, back_matter = [], [], False
    for line in text.split("\n"):
        if line[-1:] == "." and len(line) < 42 and SHAPES["wiki_heading"].fullmatch(line):
            pending = [line[:-1]]  # of headings that follow each other only the last one can have a body
            back_matter = SHAPES["back_matter"].fullmatch(line) is not None
        elif (not back_matter or line.endswith("다.")) and (line.strip() or not pending):
            kept += [*pending, line]
            pending = []
    lines = [line for line in kept if line.strip()] if len(kept) < 12 else kept  # a title alone is a redirect, or empty
    return "" if len(lines) < 2 or (len(lines) == 2 and SHAPES["wiki_stub"].fullmatch(lines[1])) else "\n".join(kept)


def _unwrap(text: str) -> str:
    """Join lines that a page's width broke: a blank at a line's end says that a word ended there."""
    lines = [line for line in text.split("\n") if line.strip()]
    joined = lines[:1]
    for previous, line in pairwise(lines):
        full = len(previous.strip()) >= (12 if previous.endswith(" ") else 30)
        goes_on = full and not SHAPES["sentence_end"].search(previous) and not SHAPES["item"].match(line)
        joined += ["" if goes_on else "\n", line]
    return "".join(joined)


FUNCTIONS = {function.__name__[1:]: function for function in (_entities, _wiki_headings, _unwrap)}
