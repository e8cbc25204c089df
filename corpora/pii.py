"""Korean personal data in a text -> placeholders or pseudonyms: found by shape, check digit and the
words around. The shapes and words are data: personal_data.toml.

Names, addresses, birthdays and whatever else has no shape of its own aren't looked for."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from xxhash import xxh3_64_intdigest

from corpora.disguises import MAY_HOLD_ANY, View, read_as_person
from corpora.recipe import PersonalDataMode
from corpora.settings import Settings, read_toml

NEAR: Final = 25
"""Characters before and after a number, on its line, in which a word may say what the number is."""
# Characters that may belong to a candidate before its @, before its first digit, and after it.
REACH_BEFORE_AT: Final = 70
REACH_BEFORE_NUMBER: Final = 12
REACH_AFTER: Final = 12
REACH_OF_URL: Final = 200

# What all ways to write personal data have in common: only around it they are tried. It opens with
# a set of characters, not with a choice: only so does `re` skip fast.
CANDIDATE: Final = re.compile(
    "[0-9@](?:"
    # nine digits or more, with up to three signs between two of them
    r"(?<=[0-9])(?:[-. ()\u00b7\u2010-\u2013\u2212]{0,3}+[0-9]){8,}+"
    r"|[0-9]{0,2}(?:\.[0-9]{1,3}){3}"  # an IPv4 address
    "|(?<=[MSRGDmsrgd][0-9])[0-9]{2}[0-9A-Za-z][0-9]{4}"  # a passport
    "|(?<=[23])[0-9A-Fa-f]{3}:[0-9A-Fa-f:]{3,40}+"  # an IPv6 address
    "|(?<=[0-9A-Za-z._%+-]@)[0-9A-Za-z][0-9A-Za-z.-]*+"  # an e-mail address, from its @ on
    ")"
)
IN_URL: Final = re.compile(r'(?:://|www\.)[^\s()<>,"|가-힣]*\Z')

# What stands before and after a number that isn't part of a longer one; \b would take a Hangul
# particle for a part of it.
BEFORE: Final = "(?:(?<![0-9A-Za-z_])|(?i:(?<=tel)|(?<=fax)))(?<![0-9][-.])"
AFTER: Final = "(?![0-9A-Za-z_]|[-.][0-9]| ?호(?![가-힣]))"


class Kind(Settings):
    """A kind of personal data, and what takes its place."""

    placeholder: str
    pseudonym: str
    """A format: {0} takes a number under 10,000, {1} one under 256."""


class Row(Settings):
    """One way to write a kind, as the table has it."""

    kind: str
    pattern: str
    """A regular expression, with names of parts in angle brackets."""
    check: str = ""
    """The one of CHECKS that a value has to pass."""
    near: str = ""
    """Words of which one must stand around it."""
    unless: str = ""
    """Words of which none may stand around it."""
    bare: bool = False
    """Whether the pattern says by itself what may stand at its edges."""


class Table(Settings):
    """The whole of personal_data.toml."""

    kinds: dict[str, Kind]
    parts: dict[str, str]
    """Parts of patterns, by the names that stand in angle brackets."""
    words: dict[str, tuple[str, ...]]
    """Words that say what a number is, or what it isn't."""
    row: tuple[Row, ...]
    """In the order in which they are tried."""


class Shape(NamedTuple):
    """A row of the table, ready to be searched for."""

    kind: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    near: re.Pattern[str] | None
    unless: re.Pattern[str] | None


class Found(NamedTuple):
    """Personal data in a text, from `start` up to `end`."""

    start: int
    end: int
    kind: str
    value: str


def replace_personal_data(text: str, mode: PersonalDataMode) -> tuple[str, dict[str, int]]:
    """Replace personal data in a text, in disguise or not (disguises.py). Numbers in a URL stay.

    Args:
        text: any text.
        mode: "keep" finds nothing, "placeholder" writes [이메일] and the like, "pseudonym" an
            impossible value of the same form, equal for equal values however they are separated.
            There are only 10,000 pseudonyms a kind (256 IP addresses), each shared by many values:
            trying all numbers turns none back.

    Returns the text, in which a second call finds nothing more, and how many of each kind were
    found (only kinds with a count above 0).
    """
    counts: dict[str, int] = {}
    if mode == "keep":
        return text, counts
    # Again: words may now stand nearer to a number. Most texts hold nothing, which a search alone
    # says fastest.
    while MAY_HOLD_ANY.search(text) and (found := _find(text)):
        for each in found:
            counts[each.kind] = counts.get(each.kind, 0) + 1
        text = _replace(text, found, mode)
    return text, counts


def _find(text: str) -> list[Found]:
    """All personal data of one pass. None goes beyond its line, so only lines are searched."""
    found: list[Found] = []
    end = 0
    for candidate in MAY_HOLD_ANY.finditer(text):
        if candidate.start() >= end:  # not on the line before
            start = text.rfind("\n", 0, candidate.start()) + 1
            end = text.find("\n", candidate.end()) % (len(text) + 1)  # -1: the text's own end
            line = text[start:end]
            view = View(line, range(len(line) + 1))
            in_line = _find_in_line(line)
            if not in_line:
                view = read_as_person(line)
                in_line = _find_in_line(view.text) if view.text != line else []
            for first, last, kind, value in in_line:
                found.append(
                    Found(start + view.offsets[first], start + view.offsets[last], kind, value)
                )
    return found


def _find_in_line(line: str) -> list[Found]:
    """What stands in a line as it is, e-mail addresses first: they may hold numbers."""
    found: list[Found] = []
    taken: set[int] = set()
    for candidate in sorted(CANDIDATE.finditer(line), key=lambda each: each[0][0] != "@"):
        shapes, start, end = _place_to_search(line, candidate)
        for shape in shapes:
            for match in shape.pattern.finditer(line, start, end):
                place = range(*match.span())
                if taken.isdisjoint(place) and _holds(shape, match):
                    taken.update(place)
                    found.append(Found(*match.span(), shape.kind, match[0]))
    return found


def _place_to_search(text: str, candidate: re.Match[str]) -> tuple[tuple[Shape, ...], int, int]:
    """The shapes that a candidate may have, and the span in which they are searched for."""
    start, end = candidate.span()
    if text[start] == "@":
        return _EMAILS, max(start - REACH_BEFORE_AT, 0), end + REACH_AFTER
    if IN_URL.search(text, max(start - REACH_OF_URL, 0), start):
        start = text.find(" ", start, end)  # the URL ends there; what follows is another number
        return (_NUMBERS if start >= 0 else ()), start, end + REACH_AFTER
    return _NUMBERS, max(start - REACH_BEFORE_NUMBER, 0), end + REACH_AFTER


def _holds(shape: Shape, match: re.Match[str]) -> bool:
    """Whether the value passes its check and the words around it say nothing else."""
    value = match[0]
    if _PSEUDONYM.fullmatch(value) or not shape.check(_canonical(shape.kind, value)):
        return False
    text = match.string
    start, end = match.span()
    before = text[max(start - NEAR, 0) : start].rpartition("\n")[2]
    after = text[end : end + NEAR].partition("\n")[0]
    around = f"{before}\n{after}"
    if shape.near and not shape.near.search(around):
        return False
    return not (shape.unless and shape.unless.search(around))


def _replace(text: str, found: list[Found], mode: PersonalDataMode) -> str:
    pieces: list[str] = []
    end = 0
    for each in sorted(found):
        number = xxh3_64_intdigest(f"{each.kind} {_canonical(each.kind, each.value)}".encode())
        kind = KINDS[each.kind]
        form = kind.placeholder if mode == "placeholder" else kind.pseudonym
        pieces += [text[end : each.start], form.format(number % 10_000, number % 256)]
        end = each.end
    pieces.append(text[end:])
    return "".join(pieces)


def _canonical(kind: str, value: str) -> str:
    """What stays of a value however it is written."""
    if kind in ("email", "ip_address"):
        return value.lower()
    national = re.sub(r"^(\+ ?82|82\b)\W*0?", "0", value)
    return re.sub("[^0-9A-Za-z가-힣]", "", national).upper()


def has_check_digit(digits: str) -> bool:
    """Tell whether a resident number has the check digit of those issued until October 2020; a
    foreigner's is two more."""
    weights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, weights))
    base = 13 if digits[6] in "5678" else 11
    return int(digits[12]) == (base - weighted % 11) % 10


def passes_luhn(digits: str) -> bool:
    """Tell whether a card number has the check digit of Luhn's formula (ISO/IEC 7812-1)."""
    plain = sum(int(digit) for digit in digits[::-2])
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (plain + doubled) % 10 == 0


def has_account_length(digits: str) -> bool:
    """Tell whether an account number has as many digits as Korean banks give."""
    return 10 <= len(digits) <= 14


def is_global(address: str) -> bool:
    """Tell whether an IP address is one that a machine on the internet can have."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return parsed.is_global and not parsed.is_multicast


def is_global_and_no_verse(address: str) -> bool:
    """Tell whether an IPv4 address is global, and no list of verses, which rises: 12.13.14.15."""
    parts = address.split(".")
    return is_global(address) and sorted(set(parts), key=int) != parts


CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "": bool,  # no check: what was found is never empty
    "has_check_digit": has_check_digit,
    "passes_luhn": passes_luhn,
    "has_account_length": has_account_length,
    "is_global": is_global,
    "is_global_and_no_verse": is_global_and_no_verse,
}


def _fill(pattern: str, parts: dict[str, str]) -> str:
    """The pattern with its parts in place of their names."""
    return re.sub("<([A-Z][A-Z0-9_]+)>", lambda name: _fill(parts[name[1]], parts), pattern)


def _compile_words(table: Table, name: str) -> re.Pattern[str] | None:
    if not name:
        return None
    words = _fill("|".join(table.words[name]), table.parts)
    # A placeholder's own words say nothing about the number beside it.
    return re.compile(rf"(?:{words})(?!(?:등록)?번호\]|주소\])", re.IGNORECASE)


def _compile(table: Table, row: Row) -> Shape:
    pattern = _fill(row.pattern, table.parts)
    if not row.bare:
        pattern = f"{BEFORE}(?:{pattern}){AFTER}"
    return Shape(
        row.kind,
        re.compile(pattern),
        CHECKS[row.check],
        _compile_words(table, row.near),
        _compile_words(table, row.unless),
    )


_PATH: Final = Path(__file__).with_name("personal_data.toml")
_TABLE: Final = Table.from_table(read_toml(_PATH), str(_PATH))
KINDS: Final = _TABLE.kinds
"""Every kind of personal data by its name."""
_SHAPES: Final = tuple(_compile(_TABLE, row) for row in _TABLE.row)
_EMAILS: Final = tuple(shape for shape in _SHAPES if shape.kind == "email")
_NUMBERS: Final = tuple(shape for shape in _SHAPES if shape.kind != "email")
_FORMS: Final = "|".join(re.escape(kind.pseudonym) for kind in KINDS.values())
# What is a pseudonym already, and so isn't replaced again.
_PSEUDONYM: Final = re.compile(
    _FORMS.replace(re.escape("{0:04}"), "[0-9]{4}").replace(re.escape("{1}"), "[0-9]{1,3}")
)
