"""Validation rows as careless people would have typed them, with wrong spaces or with typos.

What happens to a row depends on its guid alone."""

import random
import re
import unicodedata
from collections.abc import Callable
from typing import Final

from corpora.tasks.task import Row, Task, entities_in_order, split_at_entities

MISSING_SPACE = 0.3  # chance for each space to be left out
EXTRA_SPACE = 0.05  # chance for a space between two syllables
TYPO = 0.05  # chance for each syllable to have a wrong key
KEYBOARD = ("ㅂㅈㄷㄱㅅ", "ㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎ", "ㅗㅓㅏㅣ", "ㅋㅌㅊㅍ", "ㅠㅜㅡ")
"""Keys that lie side by side on the standard (Dubeolsik) keyboard: consonants, vowels, row by
row."""


def find_neighbours(keyboard: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the keys beside each key, as the conjoining jamo that syllables are made of."""
    neighbours: dict[str, list[str]] = {}
    for keys in keyboard:
        jamo = unicodedata.normalize("NFKD", keys)
        for place, key in enumerate(jamo):
            beside = (place - 1, place + 1)
            neighbours[key] = [jamo[near] for near in beside if 0 <= near < len(jamo)]
    return neighbours


NEIGHBOURS: Final = find_neighbours(KEYBOARD)


def misspace(text: str, generator: random.Random) -> str:
    """Leave some spaces out, and put some between two syllables."""

    def keep_or_drop(space: re.Match[str]) -> str:
        return "" if generator.random() < MISSING_SPACE else space[0]

    def leave_or_insert(_: re.Match[str]) -> str:
        return " " if generator.random() < EXTRA_SPACE else ""

    fewer = re.sub(" ", keep_or_drop, text)
    return re.sub("(?<=[가-힣])(?=[가-힣])", leave_or_insert, fewer)


def mistype(text: str, generator: random.Random) -> str:
    """Give some syllables the key beside the right one for their first consonant or their vowel."""

    def press_keys(syllable: re.Match[str]) -> str:
        jamo = list(unicodedata.normalize("NFD", syllable[0]))
        places = [place for place in (0, 1) if jamo[place] in NEIGHBOURS]
        # A syllable without such a key, as of ㅙ alone, doesn't take a random number.
        if places and generator.random() < TYPO:
            place = generator.choice(places)
            jamo[place] = generator.choice(NEIGHBOURS[jamo[place]])
        return unicodedata.normalize("NFC", "".join(jamo))

    return re.sub("[가-힣]", press_keys, text)


NOISES: Final[dict[str, Callable[[str, random.Random], str]]] = {
    "spacing": misspace,
    "typos": mistype,
}


def add_noise(task: Task, row: Row, kind: str) -> Row:
    """Return a copy of the row with its texts changed by the noise `kind`, and a guid of its own.

    Of RE's sentence all but the entities changes, because they are to be found.
    """
    generator = random.Random(f"{kind} {row['guid']}")
    change = NOISES[kind]
    copy = row | {"guid": f"{row['guid']} {kind}"}
    if not task.entities:
        return copy | {column: change(row[column], generator) for column in task.texts}
    parts = split_at_entities(row)
    for number in (0, 2, 4):
        parts[number] = change(parts[number], generator)
    copy["sentence"] = "".join(parts)
    for (entity, role), number in zip(entities_in_order(row), (1, 3)):
        name = "subject_entity" if role == "S" else "object_entity"
        start = len("".join(parts[:number]))
        place = {"start_idx": start, "end_idx": start + len(parts[number]) - 1}
        copy[name] = entity | {"word": parts[number]} | place
    return copy
