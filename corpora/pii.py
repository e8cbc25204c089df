"""Korean personal data in a text -> placeholders or pseudonyms: found by shape, check digit and the words around.
Names, addresses, birthdays and whatever else has no shape of its own aren't looked for.
"""
import re
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple

from xxhash import xxh3_64_intdigest

MODES = ("keep", "placeholder", "pseudonym")
NEAR = 25  # characters before and after a number, on its line, in which a word may say what the number is
KINDS = {  # placeholder and pseudonym, visibly impossible: {0} takes a number under 10,000, {1} one under 256
    "email": ("[이메일]", "user{0:04}@example.com"),
    "phone": ("[전화번호]", "010-0000-{0:04}"),
    "resident_number": ("[주민등록번호]", "000000-000{0:04}"),
    "foreigner_number": ("[외국인등록번호]", "000000-500{0:04}"),
    "card": ("[카드번호]", "0000-0000-0000-{0:04}"),
    "bank_account": ("[계좌번호]", "000-0000-{0:04}"),
    "passport": ("[여권번호]", "M0000{0:04}"),
    "driving_licence": ("[운전면허번호]", "00-00-00{0:04}-00"),
    "ip_address": ("[IP주소]", "203.0.113.{1}"),  # RFC 5737: for documentation
}
_PSEUDONYM = re.compile("|".join(form.format(9999, 999).replace("9999", "[0-9]{4}") for _, form in KINDS.values()))


def _canonical(kind: str, value: str) -> str:  # what stays of it however it is written
    if kind in ("email", "ip_address"):
        return value.lower()
    return re.sub("[^0-9A-Za-z가-힣]", "", re.sub(r"^(\+ ?82|82\b)\W*0?", "0", value)).upper()


def _has_check_digit(digits: str) -> bool:  # as issued until October 2020; a foreigner's is two more
    total = sum(int(digit) * weight for digit, weight in zip(digits, [*range(2, 10), *range(2, 6)]))
    return int(digits[12]) == ((13 if digits[6] in "5678" else 11) - total % 11) % 10


def _passes_luhn(digits: str) -> bool:
    return (sum(map(int, digits[::-2])) + sum(int("0246813579"[int(digit)]) for digit in digits[-2::-2])) % 10 == 0


def _is_global(address: str) -> bool:
    try:
        return ip_address(address).is_global and not ip_address(address).is_multicast
    except ValueError:
        return False


def _number(pattern: str) -> re.Pattern:  # \b would take a Hangul particle for a part of the number
    left = "(?:(?<![0-9A-Za-z_])|(?i:(?<=tel)|(?<=fax)))(?<![0-9][-.])"
    return re.compile(rf"{left}(?:{pattern})(?![0-9A-Za-z_]|[-.][0-9]| ?호(?![가-힣]))")


def _words(pattern: str) -> re.Pattern:  # a placeholder's own words say nothing about the number beside it
    return re.compile(rf"(?:{pattern})(?!(?:등록)?번호\]|주소\])", re.I)


class Row(NamedTuple):
    """One way to write a kind. `near` and `unless` look at the line around the number, a line break in its place."""
    kind: str
    pattern: re.Pattern
    check: Callable[[str], object] = bool
    near: re.Pattern | None = None
    unless: re.Pattern = re.compile("(?!)")


_DASH, _BITS, _IPV4 = "[-\u2010-\u2013\u2212]", "[01]{10}", r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!/[0-9])"
_GAP = rf"(?: ?(?:{_DASH}|[.)]) ?| )"
_COUNTRY, _AREA = rf"(?:\+ ?82{_GAP}?(?:\(0\) ?|0)?|82{_GAP}0?|0)", "(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|50[2-8]?|70|80)"
_BIRTH = "[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?<!0230|0231|0431|0631|0931|1131)"
_REGION = "(?:1[1-9]|2[0-8]|서울|부산|경기(?:남부|북부)?|강원|충북|충남|전북|전남|경북|경남|제주|대구|인천|광주|대전|울산)"
_OF_PHONE = _words("전화|연락|문의|팩스|핸드폰|휴대폰|[☎☏📞]|(?<![a-z])(?:tel|fax|phone|mobile|hp)(?![a-z])")
_OF_RESIDENT, _OF_LICENCE, _OF_PASSPORT = _words("주민|외국인 ?등록"), _words("면허"), _words("여권|passport")
_OF_COMPANY = _words("(?:법인|등기|사업자)[가-힣]{0,6}(?: ?등록)?(?: ?번호)?[ :(]{0,3}\n")  # stands right before its number
_OF_IP = _words("(?<![a-z])IP(?![a-z])|아이피")
_OF_ACCOUNT = _words("계좌|입금|송금|예금|이체|[가-힣]은행(?!나무)|(?<![0-9a-z])KB|국민|신한|농협|수협|신협|우체국|금고|뱅크")
_OF_VERSION = _words("(?:(?<![a-z])v|ver|version|버[전젼]|판|빌드|build|ios|안드로이드|android|윈도우?|windows|chrome|크롬"
                     r"|firefox|파이어폭스|커널|릴리스|펌웨어|업데이트)[\s.:(]*\n|\n ?\)?(?:버[전젼]|빌드|업데이트)")
ROWS = (
    Row("email", re.compile(
        r"(?<![0-9A-Za-z_])(?!git@)[0-9A-Za-z_][0-9A-Za-z._%+-]{0,63}@(?!example\.)(?:[0-9A-Za-z-]{1,63}\.){1,5}"
        r"(?!(?:png|jpe?g|gif|svg|webp|js|css|example|test|local|invalid)(?![A-Za-z]))[A-Za-z]{2,24}(?![0-9A-Za-z@])")),
    Row("resident_number", _number(rf"{_BIRTH} ?{_DASH} ?[1-4][0-9]{{6}}"), unless=_OF_COMPANY),
    Row("foreigner_number", _number(rf"{_BIRTH} ?{_DASH} ?[5-8][0-9]{{6}}"), unless=_OF_COMPANY),
    *(Row(kind, _number(rf"{_BIRTH}{_GAP}?{sex}[0-9]{{6}}"), *conditions)  # no dash, or born before 1900
      for kind, sex in (("resident_number", "[0-49]"), ("foreigner_number", "[5-8]"))
      for conditions in ((_has_check_digit, None, _OF_COMPANY), (bool, _OF_RESIDENT))),
    Row("phone", _number(rf"(?!{_BITS})(?:\(01[016-9]\)|{_COUNTRY}1[016-9]){_GAP}?[1-9][0-9]{{2,3}}{_GAP}?[0-9]{{4}}")),
    Row("phone", _number(rf"(?:\(0{_AREA}\) ?|{_COUNTRY}{_AREA}{_GAP})[1-9][0-9]{{2,3}}{_GAP}[0-9]{{4}}")),
    Row("phone", _number(rf"(?:0|\+82){_AREA}{_GAP}?[1-9][0-9]{{2,3}}{_GAP}?[0-9]{{4}}(?:-[0-9])?"), near=_OF_PHONE),
    Row("card", _number(r"[3-69][0-9]{3}([- ]?)[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?|4[0-9]{12}|3(?:[47][0-9]{2}"
                        r"([- ]?)[0-9]{6}\2[0-9]|[0689][0-9]{2}([- ]?)[0-9]{6}\3)[0-9]{4}"), _passes_luhn),
    Row("driving_licence", _number(f"{_REGION}(?:-|(?<=[가-힣]) ?)[0-9]{{2}}-[0-9]{{6}}-[0-9]{{2}}")),
    Row("driving_licence", _number(f"{_REGION}[- ]?[0-9]{{2}}[- ]?[0-9]{{6}}[- ]?[0-9]{{2}}"), near=_OF_LICENCE),
    Row("passport", _number("[MSRGDmsrgd](?:[0-9]{8}|[0-9]{3}[A-Za-z][0-9]{4})"), near=_OF_PASSPORT),
    Row("ip_address", _number(rf"(?=(?:[0-9]\.)*[0-9]{{2,3}}\.(?:[0-9]\.)*[0-9]{{2}}){_IPV4}"), unless=_OF_VERSION,
        check=lambda ip: _is_global(ip) and sorted(set(ip.split(".")), key=int) != ip.split(".")),  # not verses
    Row("ip_address", _number(_IPV4), _is_global, _OF_IP, _OF_VERSION),
    Row("ip_address", re.compile("(?<![0-9A-Za-z:.])[23][0-9A-Fa-f]{3}(?=(?::{1,2}[0-9A-Fa-f]{1,4}){2})"
                                 "(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:])"), _is_global),
    Row("bank_account", _number("(?!97[89]-|89-|(?:19|20)[0-9]{2}-)[0-9]{2,6}(?: ?- ?[0-9]{1,7}){2,4}"),
        lambda digits: 9 < len(digits) < 15, _OF_ACCOUNT, _OF_COMPANY),  # neither ISBNs nor what starts with a year
    Row("bank_account", _number("(?!97[89][0-9]{10}(?![0-9])|(?:19|20)[0-9]{2}[01][0-9][0-3][0-9])[0-9]{10,14}"
                                "(?! ?(?:원|달러|엔|유로|위안|명|주|개|건))"), near=_OF_ACCOUNT, unless=_OF_COMPANY),
)
_IN_URL = re.compile(r"(?:://|www\.)[^\s()<>,\"|가-힣]*\Z")
# What all rows have in common. It opens with a set of characters, not with a choice: only so does `re` skip fast.
_CANDIDATE = re.compile(
    r"[0-9@](?:(?<=[0-9])(?:[-. ()\u2010-\u2013\u2212]{0,3}+[0-9]){8,}+|[0-9]{0,2}(?:\.[0-9]{1,3}){3}"
    r"|(?<=[MSRGDmsrgd][0-9])[0-9]{2}[0-9A-Za-z][0-9]{4}|(?<=[23])[0-9A-Fa-f]{3}:[0-9A-Fa-f:]{3,40}+"
    r"|(?<=[0-9A-Za-z._%+-]@)[0-9A-Za-z][0-9A-Za-z.-]*+)")


def replace_personal_data(text: str, mode: str) -> tuple[str, dict[str, int]]:
    """Text with personal data replaced, and how many of each kind were found (only kinds with count > 0).

    "keep" leaves the text as it is and counts nothing, "placeholder" writes [이메일] and the like, "pseudonym" an
    impossible value of the same form, equal for equal values however they are separated. There are only 10,000
    pseudonyms a kind (256 IP addresses), each shared by many values: trying all numbers turns none back. A second
    call finds nothing more. Numbers in a URL stay. Raises ValueError for an unknown mode.
    """
    if mode not in MODES:
        raise ValueError(f"unknown mode {mode!r} for personal data; known: {', '.join(MODES)}")
    if mode == "keep" or _CANDIDATE.search(text) is None:
        return text, {}
    counts = Counter()
    while found := _find(text):  # again, because in a shorter text words and numbers stand nearer to each other
        characters = list(text)
        for kind, value, place in found:
            number = xxh3_64_intdigest(f"{kind} {_canonical(kind, value)}".encode())
            characters[place.start] = KINDS[kind][mode == "pseudonym"].format(number % 10_000, number % 256)
            characters[place.start + 1:place.stop] = [""] * (len(place) - 1)
        text = "".join(characters)
        counts.update(kind for kind, *_ in found)
    return text, dict(counts)


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


def _holds(row: Row, match: re.Match) -> bool:
    if _PSEUDONYM.fullmatch(match[0]) or not row.check(_canonical(row.kind, match[0])):
        return False
    text, start, end = match.string, *match.span()
    line = text[max(start - NEAR, 0):start].rpartition("\n")[2] + "\n" + text[end:end + NEAR].partition("\n")[0]
    return bool(row.near is None or row.near.search(line)) and not row.unless.search(line)
