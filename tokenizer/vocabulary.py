"""What a tokenizer's vocabulary is made of and what of it is used: the quality report, for one tokenizer or several."""
import re
from functools import partial
from pathlib import Path

import numpy as np

from corpora import read_toml
from tokenizer.encoders import Encoder
from tokenizer.morphemes import analyse_line, load_mecab
from tokenizer.quality import Tally, ratio, survey

NUM_LISTED = 20
BYTE = re.compile("<0x[0-9A-F]{2}>")
PART = "single bytes or parts of characters"
CATEGORIES = {name: re.compile(pattern, re.DOTALL)
              for name, pattern in read_toml(Path(__file__).with_name("categories.toml")).items()}


def describe(encoders: list[Encoder], kinds: dict[str, list[str]]) -> dict:
    """The report on the first of `encoders`, over each kind of text and over all of it. A document's ids have to be the
    same from all of them; of one alone only its own losses are counted. Boundaries are judged by MeCab's, whatever the
    tokenizer was trained with. Raises UserError if that can't be opened."""
    mecab = load_mecab()
    find_morphemes = partial(analyse_line, analyse=mecab.morphs)
    tallies = {kind: survey(encoders, documents, find_morphemes) for kind, documents in kinds.items()}
    everything = sum(tallies.values(), Tally())
    encoder, uses = encoders[0], everything.uses
    texts = {index: encoder.decode([index]) or piece.replace("\u2581", " ")
             for index, piece in enumerate(encoder.pieces) if piece}
    kind_of = {index: classify(index, text, encoder, mecab) for index, text in texts.items()}
    vocabulary = {name: sum(kind == name for kind in kind_of.values())
                  for name in ("special", PART, *CATEGORIES, "Hangul with a particle")}
    ordinary = [index for index, kind in kind_of.items() if kind not in ("special", PART)]
    unused = [index for index in ordinary if not uses[index]]
    parts = int(sum(uses[index] for index, kind in kind_of.items() if kind == PART))
    return {
        "name": encoder.name, "compared_with": [other.name for other in encoders[1:]], "vocab_size": len(texts),
        "tokens_that_are_parts": ratio(parts, everything.tokens),
        "kinds": {kind: tally.figures() for kind, tally in tallies.items()}, "all": everything.figures(),
        "vocabulary": vocabulary,
        "unused": {"pieces": len(unused), "of": len(ordinary),
                   "examples": [texts[index] for index in unused[:NUM_LISTED]]},
        "longest": [texts[index] for index in sorted(ordinary, key=lambda index: -len(texts[index]))[:NUM_LISTED]],
        "most_frequent": [[texts[index], int(uses[index])] for index in np.argsort(-uses, kind="stable")[:NUM_LISTED]]}


def classify(index: int, text: str, encoder: Encoder, mecab) -> str:
    """The kind of piece that `text`, the piece with this id, is."""
    if index in encoder.special:
        return "special"
    if BYTE.fullmatch(encoder.pieces[index]) or "\ufffd" in text:
        return PART
    text = text.removeprefix("##")  # WordPiece's mark for the inside of a word
    category = next(name for name, pattern in CATEGORIES.items() if pattern.fullmatch(text.strip() or text))
    if category == "Hangul" and (tags := [tag for _, tag in mecab.pos(text)])[-1].startswith("J") and len(tags) > 1:
        return "Hangul with a particle"
    return category
