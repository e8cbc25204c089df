"""The report on a tokenizer: its figures on each kind of text, and what of its vocabulary is used.
How it becomes a page is for pipeline/reports to say."""

from functools import partial
from typing import Any, Final, NotRequired, TypedDict

import numpy as np

from tokenizer.analysers import load_mecab
from tokenizer.morphemes import analyse_line
from tokenizer.quality.encoders import Encoder
from tokenizer.quality.survey import summarise, survey
from tokenizer.quality.vocabulary import KINDS, PART, SPECIAL, classify, piece_texts

NUM_LISTED: Final = 20  # pieces of each list


class Report(TypedDict):
    """A tokenizer's report, as report.json holds it."""

    name: str
    compared_with: list[str]
    vocab_size: int
    tokens_that_are_parts: float
    kinds: dict[str, dict[str, Any]]  # figures
    all: dict[str, Any]
    vocabulary: dict[str, int]
    unused: dict[str, Any]
    longest: list[str]
    most_frequent: list[list[Any]]
    trained_on: NotRequired[dict[str, int]]  # if this project trained it
    nasty_strings_lost: NotRequired[list[str]]  # if it was adopted


def describe(name: str, encoders: list[Encoder], kinds: dict[str, list[str]]) -> Report:
    """Report on the first of `encoders`, under this name, over each kind of text and all of it.

    A document's ids have to be the same from all of them; of one alone only its own losses are
    counted. Boundaries are judged by MeCab's, whatever the tokenizer was trained with. Raises
    UserError if that can't be opened.
    """
    encoder = encoders[0]
    tagger = load_mecab()
    find_morphemes = partial(analyse_line, analyse=tagger.morphs)
    surveys = {
        kind: survey(encoders, documents, find_morphemes) for kind, documents in kinds.items()
    }
    everything = summarise(list(surveys.values()))
    uses_V = np.sum([found.uses for found in surveys.values()], axis=0)
    texts = piece_texts(encoder)
    kind_of = {index: classify(index, text, encoder, tagger) for index, text in texts.items()}
    ordinary = [index for index, kind in kind_of.items() if kind not in (SPECIAL, PART)]
    unused = [index for index in ordinary if not uses_V[index]]
    longest = sorted(ordinary, key=lambda index: -len(texts[index]))
    most_frequent = sorted(texts, key=lambda index: -uses_V[index])
    num_parts = int(sum(uses_V[index] for index, kind in kind_of.items() if kind == PART))
    return {
        "name": name,
        "compared_with": [other.name for other in encoders[1:]],
        "vocab_size": len(texts),
        "tokens_that_are_parts": round(num_parts / max(everything["tokens"], 1), 5),
        "kinds": {kind: summarise([found]) for kind, found in surveys.items()},
        "all": everything,
        "vocabulary": {kind: list(kind_of.values()).count(kind) for kind in KINDS},
        "unused": {
            "pieces": len(unused),
            "of": len(ordinary),
            "examples": [texts[index] for index in unused[:NUM_LISTED]],
        },
        "longest": [texts[index] for index in longest[:NUM_LISTED]],
        "most_frequent": [
            [texts[index], int(uses_V[index])] for index in most_frequent[:NUM_LISTED]
        ],
    }
