"""Korean-looking sentences of any length, the same ones for the same seed."""

import numpy as np

STEMS = ("하늘", "바다", "사람", "나라", "마음", "시간", "세상", "노래", "이름", "거리")
ENDINGS = ("은", "는", "이", "가", "을", "를", "에", "도")
WORDS = [f"{stem}{ending}" for stem in STEMS for ending in ENDINGS]


def make_sentence(seed: int, length: int) -> str:
    return " ".join(np.random.default_rng(seed).choice(WORDS, length))
