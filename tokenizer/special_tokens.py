"""What every vocabulary has: the special tokens, whose ids are their places in SPECIAL_TOKENS, and
a size that suits GPUs."""

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

VOCAB_MULTIPLE: Final = 128
"""Matrix products on GPUs are fastest when the vocabulary is a multiple of this."""
