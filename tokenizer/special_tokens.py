"""The special tokens: their names, and their ids, which are their places in SPECIAL_TOKENS."""

from typing import Final

PAD: Final = "<pad>"
UNK: Final = "<unk>"
BOS: Final = "<s>"
EOS: Final = "</s>"
SEP: Final = "<sep>"
ENTITY_MARKS: Final = ("<subj>", "</subj>", "<obj>", "</obj>")
RESERVED: Final = tuple(f"<reserved_{number}>" for number in range(100))

SPECIAL_TOKENS: Final = (PAD, UNK, BOS, EOS, SEP, *ENTITY_MARKS, *RESERVED)
"""In the order of their ids, from 0. They are inserted by id; text that looks like one of them
stays text."""
