"""Validation rows as careless people would have typed them, to see how much a score hangs on clean text. What happens to
a row depends on its guid alone."""
import random
import unicodedata

from corpora.klue import ENTITIES, Task, entities_in_order, split_at_entities

MISSING_SPACE, EXTRA_SPACE, TYPO = 0.3, 0.05, 0.05  # chances for each space, between two syllables, for each syllable
KEYS = ("ㅂㅈㄷㄱㅅ", "ㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎ", "ㅗㅓㅏㅣ", "ㅋㅌㅊㅍ", "ㅠㅜㅡ")  # neighbours on the standard (Dubeolsik) keyboard
INITIALS, VOWELS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"  # as Unicode orders conjoining jamo
JAMO = {letter: chr(first + place) for letters, first in ((INITIALS, 0x1100), (VOWELS, 0x1161))
        for place, letter in enumerate(letters)}
NEXT = {JAMO[letter]: [JAMO[other] for other in row[max(0, place - 1):place + 2] if other != letter]
        for row in KEYS for place, letter in enumerate(row)}


def is_syllable(letter: str) -> bool:
    return "가" <= letter <= "힣"


def misspace(text: str, generator: random.Random) -> str:
    """Some spaces left out, some put between two syllables."""
    kept = [letter for letter in text if letter != " " or generator.random() >= MISSING_SPACE]
    return "".join(letter + " " if is_syllable(letter) and is_syllable(after) and generator.random() < EXTRA_SPACE
                   else letter for letter, after in zip(kept, [*kept[1:], ""]))


def mistype(text: str, generator: random.Random) -> str:
    """Some syllables with the key beside the right one for their consonant or vowel."""
    def one(letter: str) -> str:
        if not is_syllable(letter) or generator.random() >= TYPO:
            return letter
        jamo = list(unicodedata.normalize("NFD", letter))
        place = generator.choice([place for place in (0, 1) if jamo[place] in NEXT] or [0])
        jamo[place] = generator.choice(NEXT.get(jamo[place], [jamo[place]]))
        return unicodedata.normalize("NFC", "".join(jamo))
    return "".join(map(one, text))


NOISES = {"spacing": misspace, "typos": mistype}


def noisy(task: Task, row: dict, kind: str) -> dict:
    """The row with its texts so changed; of RE's sentence what stands between the entities, which are to be found."""
    generator = random.Random(f"{kind} {row['guid']}")
    if not task.entities:
        return row | {column: NOISES[kind](row[column], generator) for column in task.texts}
    parts = [part if number % 2 else NOISES[kind](part, generator) for number, part in enumerate(split_at_entities(row))]
    names = [ENTITIES[role == "O"] for _, role in entities_in_order(row)]
    starts = [len("".join(parts[:number])) for number in (1, 3)]
    moved = {name: row[name] | {"word": part, "start_idx": start, "end_idx": start + len(part) - 1}
             for name, part, start in zip(names, parts[1::2], starts)}
    return row | {"sentence": "".join(parts)} | moved
