"""Clean-ups that a source names in its recipe: rows of substitutions from cleanups.toml or from the
recipe itself, and functions for what no substitution can do."""

import html
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from corpora.errors import as_user_error, require
from corpora.recipe import Recipe
from corpora.settings import Settings, nearest, read_toml

TABLE: Final = Path(__file__).with_name("cleanups.toml")
CleanUp = Callable[[str], str]

ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
"""An HTML entity with its semicolon."""

MAX_WIKI_HEADING: Final = 41  # characters
WIKI_HEADING: Final = re.compile(
    r"(?!(?!개요).*[다요까음함됨임]\.$)[^.\n]{1,40}\."
    r"|[^.\n]{0,36}(?:죽음|게임|녹음|운임|[모자발]음|쓰임|움직임|책임|마음|믿음|패러다임|프레임"
    r"|[잠수모전구축]{2}함)\."
)
"""A line such as `생애.`: what doesn't end as a sentence does, or ends in a noun that looks so."""
WIKI_BACK_MATTER: Final = re.compile(
    r"(?:같이 ?보기|함께 보기|(?:외부|관련|바깥) ?(?:링크|고리|항목|문서)"
    r"|각주|주석|주해|내용주|참조주|참조|출처|참고 ?(?:문헌|자료|서적|도서)"
    r"|더 ?(?:읽을거리|읽어보기)|읽을거리)(?: 및 [가-힣 ]{2,8})?\."
)
"""The heading of notes, literature or links."""
WIKI_STUB: Final = re.compile(
    r"[^.]{0,60}다음[^.]{0,30}[.:]?\s*|.{1,50}보다 크고 .{1,20}보다 작은 자연수이다\."
)
"""All that a page says whose title is ambiguous, or a page of a number."""
MIN_WIKI_LINES: Final = 12  # a page of so many isn't looked at as a stub

SENTENCE_END: Final = re.compile(r"[.?!:)\]」』”>][ \t]*$")
"""The end of a line that `unwrap` doesn't join with the next one."""
ITEM: Final = re.compile(r"  |\s*(?:[-○□*※①-⑳<]|제\d+조)")
"""The beginning of a line that `unwrap` doesn't join with the one before it: an indented one, an
item of a list, an article."""
FULL_LINE: Final = 30
"""Characters of a line that may have ended where the page does."""
FULL_LINE_WITH_BLANK: Final = 12
"""The same for a line with a blank at its end, which says that a word ended there."""


class Substitutions(Settings):
    """A clean-up as cleanups.toml and recipes have it."""

    about: str = ""
    """A sentence that says what it does."""
    replace: tuple[tuple[str, str, str], ...]
    """Its steps, in the order in which they run: (needs, pattern, replacement)."""
    examples: tuple[tuple[str, str], ...] = ()
    """Texts before and after it."""


def load_cleanups(recipe: Recipe) -> dict[str, CleanUp]:
    """Return every clean-up that the recipe's sources may name, by name.

    Raises UserError for one that isn't valid, and for a name that no clean-up has.
    """
    tables = read_toml(TABLE) | recipe.cleanup
    cleanups = FUNCTIONS | {name: _make_cleanup(name, table) for name, table in tables.items()}
    for source in recipe.source:
        for name in source.clean:
            require(
                name in cleanups,
                f"source {source.name!r}: unknown clean-up {name!r}."
                f"{nearest(name, cleanups)} Known: {', '.join(cleanups)}.",
            )
    return cleanups


def _make_cleanup(name: str, table: dict[str, Any]) -> CleanUp:
    needed = (
        f"clean-up {name!r}: needs replace = [[needs, pattern, replacement], ...] with valid "
        "regular expressions"
    )
    rows = Substitutions.from_table(table, needed).replace
    with as_user_error(needed, kinds=re.error):
        steps = [(needs, re.compile(pattern), replacement) for needs, pattern, replacement in rows]
        for _, pattern, replacement in steps:
            pattern.sub(replacement, "")  # a bad replacement is told now

    def run(text: str) -> str:
        for needs, pattern, replacement in steps:
            if needs in text:
                text = pattern.sub(replacement, text)
        return text

    return run


def unescape_entities(text: str) -> str:
    """Turn &lt; &amp;quot; &#39; and the like into characters; a bare & or &copy without its
    semicolon stays."""
    for _ in range(2 if "&" in text else 0):  # twice, for what was escaped twice
        text = ENTITY.sub(lambda match: html.unescape(match[0]), text)
    return text


def mend_wiki_headings(text: str) -> str:
    """Mend the headings of an encyclopedia's page, which stand as `생애.` in extracts.

    The full stop goes, and so does a heading with nothing under it. Of notes, literature and links
    only sentences stay, and nothing of a page that says only that its title is ambiguous.
    """
    kept: list[str] = []
    heading: list[str] = []  # one with nothing under it so far
    in_back_matter = False
    for line in text.split("\n"):
        if line[-1:] == "." and len(line) <= MAX_WIKI_HEADING and WIKI_HEADING.fullmatch(line):
            # Of headings that follow each other only the last one can have a body.
            heading = [line[:-1]]
            in_back_matter = WIKI_BACK_MATTER.fullmatch(line) is not None
            continue
        if in_back_matter and not line.endswith("다."):
            continue
        if heading and not line.strip():
            continue
        kept += [*heading, line]
        heading = []
    return "" if _is_wiki_stub(kept) else "\n".join(kept)


def _is_wiki_stub(lines: list[str]) -> bool:
    """Whether a page is only its title, as a redirect is, or says only what the title may mean."""
    if len(lines) >= MIN_WIKI_LINES:
        return False
    texts = [line for line in lines if line.strip()]
    return len(texts) < 2 or (len(texts) == 2 and WIKI_STUB.fullmatch(texts[1]) is not None)


def unwrap(text: str) -> str:
    """Join lines that a page's width broke, as in a text taken from a PDF file."""
    lines = [line for line in text.split("\n") if line.strip()]
    joined = lines[:1]
    for previous, line in pairwise(lines):
        least = FULL_LINE_WITH_BLANK if previous.endswith(" ") else FULL_LINE
        is_full = len(previous.strip()) >= least
        goes_on = is_full and not SENTENCE_END.search(previous) and not ITEM.match(line)
        joined += ["" if goes_on else "\n", line]
    return "".join(joined)


FUNCTIONS: Final[dict[str, CleanUp]] = {
    "entities": unescape_entities,
    "wiki_headings": mend_wiki_headings,
    "unwrap": unwrap,
}
"""The clean-ups that are no substitutions, by the names that recipes use."""
