"""A text as a person reads it: wide, circled and other digits as ASCII has them, every dash a
hyphen, nothing that can't be seen, no blanks between single digits, `(at)` as @. With the way back
to the text's own characters. What is looked for in it is pii.py's to say."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

INVISIBLE: Final = (
    r"\u00ad\u034f\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0"
)
"""A set for regular expressions: soft hyphen, joiners, directions, fillers, selectors, keycaps."""

# What a person takes for a sign of ASCII. A middle dot stays one, whatever it looks like.
_BLANKS: Final = "\u00a0\u2000-\u200a\u202f\u205f\u3000"
_DASHES: Final = (
    "\u02d7\u1173\u1806\u2010-\u2015\u2043\u207b\u208b\u2212\u23af\u23ba-\u23bd\u2500\u2501\u2574"
    "\u2576\u2796\u2e3a\u2e3b\u30fc\u3161\u4e00\ufe58\ufe63\uff70"
)
_DOTS: Final = "\u2024\u3002\uff61"
_MIDDLE_DOTS: Final = "\u0387\u2022\u2027\u2219\u22c5\u2e31\u30fb\u318d\uff65"
_TILDES: Final = "\u02dc\u223c\u301c"
_WIDE: Final = "\uff01-\uff5e\ufe50-\ufe57\ufe59-\ufe62\ufe64-\ufe6b"
_DIGITS: Final = "\u0660-\u0669\u06f0-\u06f9\u0966-\u096f"
_CIRCLED: Final = "\u2460-\u2468\u24ea\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792"


def _members(ranges: str) -> list[str]:
    """The characters of a set as regular expressions write it."""
    pairs = re.findall("(.)(?:-(.))?", ranges)
    return [chr(code) for low, high in pairs for code in range(ord(low), ord(high or low) + 1)]


_AS_READ: Final = str.maketrans(
    {each: unicodedata.normalize("NFKC", each) for each in _members(_WIDE)}
    | {each: str(unicodedata.digit(each)) for each in _members(_DIGITS + _CIRCLED)}
    | dict.fromkeys(_members(_BLANKS), " ")
    | dict.fromkeys(_members(_DASHES), "-")
    | dict.fromkeys(_members(_DOTS), ".")
    | dict.fromkeys(_members(_MIDDLE_DOTS), "\u00b7")
    | dict.fromkeys(_members(_TILDES), "~")
)
# A single circled digit numbers an item: `①010-1234-5678`.
_SIGNS: Final = re.compile(
    f"[{_WIDE}{_DIGITS}{_BLANKS}{_DASHES}{_DOTS}{_MIDDLE_DOTS}{_TILDES}]+|[{_CIRCLED}]{{2,}}"
)

_DIGIT: Final = f"0-9\uff10-\uff19{_DIGITS}{_CIRCLED}"
_LETTER: Final = "0-9A-Za-z\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
_POINT: Final = f"[.\uff0e{_DOTS}]"
_BETWEEN: Final = (
    f"-. ()~_\u00b7\uff0d\uff0e\uff08\uff09\uff5e\uff3f{_BLANKS}{_DASHES}{_DOTS}{_MIDDLE_DOTS}"
    f"{_TILDES}{INVISIBLE}"
)

MAY_HOLD_ANY: Final = re.compile(
    f"[@\uff20\ufe6b(\\[{{<골{_DIGIT}](?:"
    f"(?<=[{_DIGIT}])(?:"
    # nine digits or more, with up to five signs between two of them
    f"(?:[{_BETWEEN}]{{0,5}}+[{_DIGIT}]){{8,}}+"
    # an IPv4 address, a passport, an IPv6 address
    f"|[{_DIGIT}{INVISIBLE}]{{0,4}}(?:{_POINT}[{_DIGIT}{INVISIBLE}]{{1,6}}){{3}}"
    f"|(?:(?<=[{_LETTER}].)|(?<=[{_LETTER}][{INVISIBLE}].))"
    f"[{_DIGIT}{INVISIBLE}]{{2}}[{_LETTER}{INVISIBLE}]{{5}}"
    f"|(?<=[23\uff12\uff13])[{_LETTER}{INVISIBLE}]{{3,8}}[:\uff1a]"
    f"[{_LETTER}:\uff1a{INVISIBLE}]{{3}}"
    # an e-mail address
    f")|(?<=[@\uff20\ufe6b])[ {_BLANKS}{INVISIBLE}]{{0,5}}+[{_LETTER}]"
    "|(?<=[(\\[{<]) ?(?:[Aa][Tt]|[@\uff20\ufe6b]|앳|골뱅이) ?[)\\]}>]"
    "|(?<=골)뱅이"
    ")"
)
"""All ways to write personal data, whatever the disguise: a text without it isn't looked at again.
It opens with a set of characters that aren't all ASCII, which `re` skips at 250 MB/s."""

# Of e-mail addresses; the endings are few, because a sentence goes on after a point, too.
_LABEL: Final = "[0-9A-Za-z-]{1,63}"
_AT: Final = " ?(?:(?i:at)|@|앳|골뱅이) ?[\\])}>]"
_DOT: Final = "(?: ?[\\[({<] ?(?:(?i:dot)|\\.|닷|점) ?[\\])}>] ?| (?:(?i:dot)|닷) | ?\\. ?)"
_ENDING: Final = "(?i:com|net|org|edu|gov|info|biz|kr|jp|cn|us|uk|de|io|me|ai)(?![0-9A-Za-z])"
_DOMAIN: Final = f"{_LABEL}(?:{_DOT}{_LABEL}){{0,3}}{_DOT}{_ENDING}"
# Of digits one by one.
_FIRST: Final = "[0-9](?<![0-9][0-9])(?<![0-9] [0-9])"
_MORE: Final = "(?: [0-9])++"
_GAP: Final = "(?: ?[-.\u00b7)] ?| {2,3})"


class Fold(NamedTuple):
    """What is read as something else. Patterns open with a set or a literal, to be fast."""

    where: re.Pattern[str]  # only inside of this
    what: re.Pattern[str]
    as_read: str  # one character, or none


def _fold(where: str, what: str, as_read: str) -> Fold:
    return Fold(re.compile(where), re.compile(what), as_read)


_FOLDS: Final = (
    _fold(f"[{INVISIBLE}]+", ".+", ""),
    # Digits one by one, if a sign or a wider gap makes groups of them, or a mobile number.
    _fold(
        f"{_FIRST}(?:{_MORE}(?:{_GAP}[0-9]{_MORE})+(?![0-9])"
        "|(?<=0) 1 [016-9](?: [0-9]){8}(?! ?[0-9]))",
        "(?<=[-0-9.\u00b7)]) (?=[-0-9.\u00b7)])|(?<= ) ",
        "",
    ),
    _fold("01(?<![0-9]01)[016-9]([~_])[0-9]{3,4}\\1[0-9]{4}(?![0-9])", "[~_]", "-"),
    _fold(f"[\\[({{<](?<=[0-9A-Za-z_ ].){_AT}(?= ?{_DOMAIN})", ".+", "@"),
    _fold(f"골뱅이(?= ?{_DOMAIN})", ".+", "@"),
    _fold(f" @(?<=[0-9A-Za-z_] @)(?= {{0,2}}{_DOMAIN})", " ", ""),
    _fold(f"@ {{1,2}}(?={_DOMAIN})", " +", ""),
    _fold(f"@{_DOMAIN}", _DOT, "."),
)


class View(NamedTuple):
    """A text as it is read, and where each of its characters stands in the text itself."""

    text: str
    offsets: Sequence[int]  # one more than characters


def read_as_person(text: str) -> View:
    """The text as a person reads it."""
    view = View(_SIGNS.sub(_read_signs, text), range(len(text) + 1))
    for where, what, as_read in _FOLDS:
        if where.search(view.text):
            spans = (place.span() for place in where.finditer(view.text))
            matches = chain.from_iterable(what.finditer(view.text, *span) for span in spans)
            view = _replace(view, matches, as_read)
    return view


def _read_signs(signs: re.Match[str]) -> str:
    return signs[0].translate(_AS_READ)


def _replace(view: View, matches: Iterable[re.Match[str]], as_read: str) -> View:
    pieces: list[str] = []
    offsets: list[int] = []
    end = 0
    for match in matches:
        pieces += [view.text[end : match.start()], as_read]
        offsets += view.offsets[end : match.start()]
        if as_read:
            offsets.append(view.offsets[match.start()])
        end = match.end()
    return View("".join([*pieces, view.text[end:]]), [*offsets, *view.offsets[end:]])
