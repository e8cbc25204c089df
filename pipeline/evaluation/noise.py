"""Validation rows as careless people would have typed them. What happens to a row depends on its guid alone."""
import random
import re
import unicodedata

from corpora.tasks.task import ENTITIES, Task, entities_in_order, split_at_entities

MISSING_SPACE, EXTRA_SPACE, TYPO = 0.3, 0.05, 0.05  # chances for each space, between two syllables, for each syllable
# Neighbours on the standard (Dubeolsik) keyboard, as the conjoining jamo that syllables are made of.
KEYS = [unicodedata.normalize("NFKD", row) for row in ("ㅂㅈㄷㄱㅅ", "ㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎ", "ㅗㅓㅏㅣ", "ㅋㅌㅊㅍ", "ㅠㅜㅡ")]
NEXT = {key: [row[near] for near in (place - 1, place + 1) if 0 <= near < len(row)]
        for row in KEYS for place, key in enumerate(row)}


def misspace(text: str, generator: random.Random) -> str:
    """Some spaces left out, some put between two syllables."""
    text = re.sub(" ", lambda _: " " * (generator.random() >= MISSING_SPACE), text)
    return re.sub("(?<=[가-힣])(?=[가-힣])", lambda _: " " * (generator.random() < EXTRA_SPACE), text)


def mistype(text: str, generator: random.Random) -> str:
    """Some syllables with the key beside the right one for their consonant or vowel."""
    def press(syllable: re.Match) -> str:
        jamo = list(unicodedata.normalize("NFD", syllable[0]))
        places = [place for place in (0, 1) if jamo[place] in NEXT]
        if places and generator.random() < TYPO:
            place = generator.choice(places)
            jamo[place] = generator.choice(NEXT[jamo[place]])
        return unicodedata.normalize("NFC", "".join(jamo))
    return re.sub("[가-힣]", press, text)


NOISES = {"spacing": misspace, "typos": mistype}


def noisy(task: Task, row: dict, kind: str) -> dict:
    """The row with its texts so changed; of RE's sentence all but the entities, which are to be found."""
    generator = random.Random(f"{kind} {row['guid']}")
    row = row | {"guid": f"{row['guid']} {kind}"}
    if not task.entities:
        return row | {column: NOISES[kind](row[column], generator) for column in task.texts}
    parts = split_at_entities(row)
    parts[::2] = [NOISES[kind](part, generator) for part in parts[::2]]
    names = [ENTITIES[role == "O"] for _, role in entities_in_order(row)]
    starts = [len("".join(parts[:number])) for number in (1, 3)]
    moved = {name: row[name] | {"word": part, "start_idx": start, "end_idx": start + len(part) - 1}
             for name, part, start in zip(names, parts[1::2], starts)}
    return row | {"sentence": "".join(parts)} | moved
