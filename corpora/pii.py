"""Korean personal data in a text -> placeholders or pseudonyms: found by shape, check digit and the words around.
Names, addresses, birthdays and whatever else has no shape of its own aren't looked for."""
import re
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

from xxhash import xxh3_64_intdigest

from corpora.settings import read_toml

NEAR = 25  # characters before and after a number, on its line, in which a word may say what the number is
TABLE = read_toml(Path(__file__).with_name("personal_data.toml"))
KINDS = TABLE["kinds"]
_PSEUDONYM = re.compile("|".join(kind["pseudonym"] for kind in KINDS.values())
                        .format(9999, 999).replace("9999", "[0-9]{4}"))


def _canonical(kind: str, value: str) -> str:  # what stays of it however it is written
    if kind in ("email", "ip_address"):
        return value.lower()
    return re.sub("[^0-9A-Za-z가-힣]", "", re.sub(r"^(\+ ?82|82\b)\W*0?", "0", value)).upper()


def _has_check_digit(digits: str) -> bool:  # as issued until October 2020; a foreigner's is two more
    total = sum(int(digit) * weight for digit, weight in zip(digits, [*range(2, 10), *range(2, 6)]))
    return int(digits[12]) == ((13 if digits[6] in "5678" else 11) - total % 11) % 10


def _is_global(address: str) -> bool:
    with suppress(ValueError):
        return ip_address(address).is_global and not ip_address(address).is_multicast
    return False


CHECKS: dict[str, Callable[[str], object]] = {
    "": bool, "has_check_digit": _has_check_digit, "is_global": _is_global,
    "passes_luhn": lambda digits: (
        sum(map(int, digits[::-2])) + sum(int("0246813579"[int(digit)]) for digit in digits[-2::-2])) % 10 == 0,
    # verses, as 12.13.14.15, rise
    "is_global_and_no_verse": lambda ip: _is_global(ip) and sorted(set(ip.split(".")), key=int) != ip.split("."),
    "has_account_length": lambda digits: 9 < len(digits) < 15}


def _fill(pattern: str) -> str:
    return re.sub("<([A-Z][A-Z0-9]+)>", lambda name: _fill(TABLE["parts"][name[1]]), pattern)


# A placeholder's own words say nothing about the number beside it.
WORDS = {"": None} | {name: re.compile(rf"(?:{pattern})(?!(?:등록)?번호\]|주소\])", re.I)
                      for name, pattern in TABLE["words"].items()}
ROWS = [SimpleNamespace(
    kind=row["kind"], check=CHECKS[row.get("check", "")], near=WORDS[row.get("near", "")],
    unless=WORDS[row.get("unless", "")], pattern=re.compile(
        f"(?:{_fill(row['pattern'])})".join(["", ""] if row.get("bare") else TABLE["edges"].values())))
    for row in TABLE["row"]]
"""The ways to write a kind. `near` and `unless` look at the line around the number, a line break in its place."""
_CANDIDATE, _IN_URL = (re.compile(TABLE["search"][name]) for name in ("candidate", "in_url"))


def replace_personal_data(text: str, mode: str) -> tuple[str, dict[str, int]]:
    """Text with personal data replaced, and how many of each kind were found (only kinds with count > 0). "keep" finds
    nothing, "placeholder" writes [이메일] and the like, "pseudonym" an impossible value of the same form, equal for equal
    values however they are separated. There are only 10,000 pseudonyms a kind (256 IP addresses), each shared by many
    values: trying all numbers turns none back. A second call finds nothing more. Numbers in a URL stay."""
    counts = {}
    while mode != "keep" and _CANDIDATE.search(text) and (found := _find(text)):  # again: words may now stand nearer
        characters = list(text)
        for kind, value, place in found:
            number = xxh3_64_intdigest(f"{kind} {_canonical(kind, value)}".encode())
            characters[place.start] = KINDS[kind][mode].format(number % 10_000, number % 256)
            characters[place.start + 1:place.stop] = [""] * (len(place) - 1)
            counts[kind] = counts.get(kind, 0) + 1
        text = "".join(characters)
    return text, counts


def _find(text: str) -> list[tuple[str, str, range]]:
    found, taken = [], set()
    for candidate in sorted(_CANDIDATE.finditer(text), key=lambda each: each[0][0] != "@"):  # e-mails hold numbers
        start, end = candidate.span()
        rows, reach = (ROWS[:1], 70) if text[start] == "@" else (ROWS[1:], 12)  # what may belong to it on either side
        if text[start] != "@" and _IN_URL.search(text, max(start - 200, 0), start):
            start, reach = text.find(" ", start, end), 0
        for row in rows if start >= 0 else ():
            for match in row.pattern.finditer(text, max(start - reach, 0), end + 12):
                place = range(*match.span())
                if taken.isdisjoint(place) and _holds(row, match):
                    taken.update(place)
                    found.append((row.kind, match[0], place))
    return found


def _holds(row: SimpleNamespace, match: re.Match) -> bool:
    text, start, end = match.string, *match.span()
    line = text[max(start - NEAR, 0):start].rpartition("\n")[2] + "\n" + text[end:end + NEAR].partition("\n")[0]
    return (not _PSEUDONYM.fullmatch(match[0]) and bool(row.check(_canonical(row.kind, match[0])))
            and not (row.near and not row.near.search(line)) and not (row.unless and row.unless.search(line)))
