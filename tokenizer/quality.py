"""Any tokenizer, whatever library it is for, as one thing; the gate that it has to pass (no unknown token, an exact
round trip, the same ids from every library, on documents and on strings chosen to break one of these); and the figures
that describe it on any text: what its vocabulary is made of, what of it is used."""
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from operator import eq
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from corpora.errors import UserError, as_user_error, require
from corpora.settings import read_toml
from tokenizer.morphemes import analyse_line, load_mecab
from tokenizer.train import SPECIAL_TOKENS

_TABLE = read_toml(Path(__file__).with_name("nasty_strings.toml"))
NASTY_STRINGS = (*SPECIAL_TOKENS[:10], *(text * times for text, times in _TABLE.pop("long")),
                 *(text for texts in _TABLE.values() for text in texts))
CATEGORIES = read_toml(Path(__file__).with_name("categories.toml"))
PART = "single bytes or parts of characters"
NUM_LISTED = 20

COUNTS = ("documents", "bytes", "characters", "eojeols", "tokens", "unknown_tokens", "problems", "first_problem",
          "token_boundaries", "morpheme_boundaries", "shared_boundaries")  # boundaries are those inside eojeols
RATIOS = {"tokens_per_eojeol": ("tokens", "eojeols"), "tokens_per_character": ("tokens", "characters"),
          "tokens_per_byte": ("tokens", "bytes"), "boundary_precision": ("shared_boundaries", "token_boundaries"),
          "boundary_recall": ("shared_boundaries", "morpheme_boundaries")}
Survey = tuple[Counter, list[str], np.ndarray]  # counts, what is wrong and where, how often each id was used


class Encoder(NamedTuple):
    """One way to encode, without special tokens added."""
    name: str
    encode: Callable[[str], list[int]]
    decode: Callable[[list[int]], str]
    locate: Callable[[str], tuple[list[int], list[int]]]  # ids, and the index of the character each begins in
    pieces: list[str]  # by id, as the library writes them; "" where there is none of an id
    special: frozenset[int]  # ids that no text may become, the unknown token's among them
    unknown: int | None


def open_encoders(folder: Path) -> list[Encoder]:
    """The four ways to use what this project exports: they have to agree."""
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    with tempfile.TemporaryDirectory() as again:
        tokenizer.save_pretrained(again)
        reloaded = AutoTokenizer.from_pretrained(again)
    bare = Tokenizer.from_file(str(folder / "tokenizer.json"))
    loaded = from_transformers(tokenizer, "AutoTokenizer")
    return [from_sentencepiece(folder / "sentencepiece.model"), loaded,
            from_transformers(reloaded, "AutoTokenizer after save_pretrained"),
            loaded._replace(name="tokenizers", encode=lambda text: bare.encode(text).ids, decode=bare.decode)]


def open_any(path: Path) -> Encoder:
    """Open a folder with a tokenizer.json, or a SentencePiece model (a file, or the only .model in a folder). Raises
    UserError if there is none, or it can't be read. No code from the folder is run."""
    if path.name == "tokenizer.json" or (path / "tokenizer.json").is_file():
        tokenizer = load_fast(path.parent if path.is_file() else path)
        return from_transformers(tokenizer, path.name, split_special_tokens=True)
    models = [path] if path.is_file() else sorted(path.glob("*.model"))
    require(len(models) == 1, f"{path}: no tokenizer can be loaded from here: no tokenizer.json, and {len(models)} "
            ".model files. Name one of those, or save it once with AutoTokenizer, which writes tokenizer.json.")
    return from_sentencepiece(models[0], path.name)


def load_fast(folder: Path) -> PreTrainedTokenizerFast:
    """Load tokenizer.json as it stands: a fast tokenizer is all in there, whatever class its config names."""
    require((folder / "tokenizer.json").is_file(), f"{folder}: has no tokenizer.json. Load it once with AutoTokenizer "
            "and save_pretrained, which writes one.")
    with as_user_error(f"{folder}: its tokenizer can't be loaded"):  # tokenizers raise a bare Exception
        return PreTrainedTokenizerFast.from_pretrained(folder)


def from_sentencepiece(path: Path, name: str = "sentencepiece") -> Encoder:
    """Raises UserError for a file that is damaged."""
    with as_user_error(f"{path}: no SentencePiece model, or damaged", kinds=(RuntimeError, OSError)):
        processor = SentencePieceProcessor(model_file=str(path))

    def locate(text: str) -> tuple[list[int], list[int]]:
        found = processor.encode(text, return_type="offset_mapping")
        return found["ids"], [start for start, _ in found["offsets"]]

    ids = range(len(processor))
    special = frozenset(index for index in ids if processor.is_control(index) or processor.is_unknown(index))
    return Encoder(name, processor.encode, processor.decode, locate, [processor.id_to_piece(index) for index in ids],
                   special, processor.unk_id())


def from_transformers(tokenizer: PreTrainedTokenizerBase, name: str, **options) -> Encoder:
    """`options` go to every call; those of others have to be asked to leave what looks like special tokens alone."""
    options = {"add_special_tokens": False, "verbose": False, **options}

    def locate(text: str) -> tuple[list[int], list[int]]:
        found = tokenizer(text, return_offsets_mapping=True, **options)
        return found["input_ids"], [start for start, _ in found["offset_mapping"]]

    pieces = [tokenizer.convert_ids_to_tokens(index) or "" for index in range(max(tokenizer.get_vocab().values()) + 1)]
    # GPT-2's byte-level tokenizers name the end of text as unknown token, and never give it.
    unknown = tokenizer.unk_token_id if tokenizer.unk_token_id != tokenizer.eos_token_id else None
    return Encoder(name, lambda text: tokenizer.encode(text, **options), tokenizer.decode, locate, pieces,
                   frozenset(tokenizer.all_special_ids), unknown)


def figures(surveys: list[Survey]) -> dict:
    """The sums of COUNTS, and RATIOS of them; an eojeol is text between white space, a byte one of UTF-8."""
    counts = sum((counts for counts, _, _ in surveys), Counter())
    problems = [problem for _, problems, _ in surveys for problem in problems]
    first = {"problems": len(problems), "first_problem": problems[0] if problems else ""}
    ratios = {name: round(counts[part] / max(counts[whole], 1), 5) for name, (part, whole) in RATIOS.items()}
    return {name: counts[name] for name in COUNTS} | first | ratios


def check_nasty_strings(encoders: list[Encoder]) -> None:
    """Raise UserError for the first that is unlike in two of the encoders, or that one of them loses."""
    for number, text in enumerate(NASTY_STRINGS):
        if problem := find_problem(text, encoders):
            raise UserError(f"tokenizer gate: nasty string {number} {text[:40]!r}, {problem}")


def survey(encoders: list[Encoder], documents: Iterable[str], find_morphemes: Callable) -> Survey:
    """Encode every document with all encoders and count; the figures are the first one's. `find_morphemes` says where
    morphemes begin inside a line's eojeols, or None if it can't: then the line's boundaries don't count."""
    first, counts, problems = encoders[0], Counter(), []
    uses = np.zeros(len(first.pieces), dtype=np.int64)
    for text in documents:
        ids, starts = first.locate(text)
        starts, begin = set(starts), 0
        counts.update(documents=1, bytes=len(text.encode()), characters=len(text), eojeols=len(text.split()),
                      tokens=len(ids), unknown_tokens=ids.count(first.unknown))
        for line in text.split("\n"):
            if (morphemes := find_morphemes(line)) is not None:
                tokens = {at for at in range(1, len(line))
                          if begin + at in starts and not line[at - 1].isspace() and not line[at].isspace()}
                counts.update(token_boundaries=len(tokens), morpheme_boundaries=len({*morphemes}),
                              shared_boundaries=len(tokens.intersection(morphemes)))
            begin += len(line) + 1
        uses += np.bincount(ids, minlength=len(uses))
        if problem := find_problem(text, encoders):
            problems.append(f"{text[:40]!r}, {problem}")
    return counts, problems, uses


def find_problem(text: str, encoders: list[Encoder]) -> str | None:
    """What is wrong with the ids of one text, if anything is: in one encoder, or between the first and another."""
    expected = encoders[0].encode(text)
    for encoder in encoders:
        ids = expected if encoder is encoders[0] else encoder.encode(text)
        if encoder.unknown in ids:
            before = encoder.decode(ids[:ids.index(encoder.unknown)])
            return f"{encoder.name}: an unknown token after {before[-20:]!r}"
        if special := encoder.special.intersection(ids):
            return f"{encoder.name}: text became special token {encoder.pieces[min(special)]} (id {min(special)})"
        if ids != expected:
            at = [*map(eq, ids, expected), False].index(False)  # the first that isn't the same, or where one ends
            return (f"token {at} differs: {encoders[0].name} {expected[at:at + 5]}, {encoder.name} {ids[at:at + 5]}, "
                    f"after {encoders[0].decode(expected[:at])[-20:]!r}")
        if (back := encoder.decode(ids)) != text:
            at = [*map(eq, back, text), False].index(False)
            return f"{encoder.name} gives back {back[at:at + 40]!r} for {text[at:at + 40]!r}, character {at}"
    return None


def describe(encoders: list[Encoder], kinds: dict[str, list[str]]) -> dict:
    """The report on the first of `encoders`, over each kind of text and over all of it. A document's ids have to be the
    same from all of them; of one alone only its own losses are counted. Boundaries are judged by MeCab's, whatever the
    tokenizer was trained with. Raises UserError if that can't be opened."""
    mecab = load_mecab()
    find_morphemes = partial(analyse_line, analyse=mecab.morphs)
    surveys = {kind: survey(encoders, documents, find_morphemes) for kind, documents in kinds.items()}
    everything = figures([*surveys.values()])
    encoder, uses = encoders[0], sum(uses for _, _, uses in surveys.values())
    texts = {index: encoder.decode([index]) or piece.replace("\u2581", " ")
             for index, piece in enumerate(encoder.pieces) if piece}
    kind_of = {index: classify(index, text, encoder, mecab) for index, text in texts.items()}
    ordinary = [index for index, kind in kind_of.items() if kind not in ("special", PART)]
    unused = [index for index in ordinary if not uses[index]]
    parts = int(sum(uses[index] for index, kind in kind_of.items() if kind == PART))
    return {
        "name": encoder.name, "compared_with": [other.name for other in encoders[1:]], "vocab_size": len(texts),
        "tokens_that_are_parts": round(parts / max(everything["tokens"], 1), 5),
        "kinds": {kind: figures([found]) for kind, found in surveys.items()}, "all": everything,
        "vocabulary": {name: sum(kind == name for kind in kind_of.values())
                       for name in ("special", PART, *CATEGORIES, "Hangul with a particle")},
        "unused": {"pieces": len(unused), "of": len(ordinary),
                   "examples": [texts[index] for index in unused[:NUM_LISTED]]},
        "longest": [texts[index] for index in sorted(ordinary, key=lambda index: -len(texts[index]))[:NUM_LISTED]],
        "most_frequent": [[texts[index], int(uses[index])] for index in np.argsort(-uses, kind="stable")[:NUM_LISTED]]}


def classify(index: int, text: str, encoder: Encoder, mecab) -> str:
    """The kind of piece that `text`, the piece with this id, is."""
    if index in encoder.special:
        return "special"
    if re.fullmatch("<0x[0-9A-F]{2}>", encoder.pieces[index]) or "\ufffd" in text:
        return PART
    text = text.removeprefix("##")  # WordPiece's mark for the inside of a word
    category = next(name for name, pattern in CATEGORIES.items() if re.fullmatch(pattern, text.strip() or text))
    if category == "Hangul" and (tags := [tag for _, tag in mecab.pos(text)])[-1].startswith("J") and len(tags) > 1:
        return "Hangul with a particle"
    return category
