"""The gate that a tokenizer has to pass, and the figures that describe it.

No unknown token, an exact round trip, and the same ids from sentencepiece and from AutoTokenizer, on whole
documents and on strings chosen to break one of these.
"""
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sentencepiece import SentencePieceProcessor
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from corpora import UserError, read_toml
from tokenizer.train import SPECIAL_TOKENS

_TABLE = read_toml(Path(__file__).with_name("nasty_strings.toml"))
NASTY_STRINGS = (*SPECIAL_TOKENS[:10], *(text * times for text, times in _TABLE.pop("long")),
                 *(text for texts in _TABLE.values() for text in texts))
"""What tends to break tokenizers; not U+2581, SentencePiece's own space, which the corpus stage replaces."""


@dataclass
class Tally:
    """What was seen while encoding; all are counts, `first_problem` says what and where."""
    documents: int = 0
    bytes: int = 0
    characters: int = 0
    eojeols: int = 0
    tokens: int = 0
    byte_tokens: int = 0
    unknown_tokens: int = 0
    problems: int = 0
    first_problem: str = ""

    def figures(self) -> dict:
        """The counts, and tokens per eojeol (text between white space), per character and per UTF-8 byte."""
        return {**vars(self), "tokens_per_eojeol": ratio(self.tokens, self.eojeols),
                "tokens_per_character": ratio(self.tokens, self.characters),
                "tokens_per_byte": ratio(self.tokens, self.bytes),
                "byte_token_share": ratio(self.byte_tokens, self.tokens)}


def ratio(part: int, whole: int) -> float:
    return round(part / whole, 5) if whole else 0.0


def check_tokenizer(folder: Path, documents: Iterable[tuple[str, str]]) -> dict:
    """Return the figures over `documents`, pairs (where, text); raise UserError with the first counterexample.

    `folder` holds sentencepiece.model and the files for AutoTokenizer.
    """
    processor = SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    with tempfile.TemporaryDirectory() as again:
        tokenizer.save_pretrained(again)
        reloaded = AutoTokenizer.from_pretrained(again)
    for number, text in enumerate(NASTY_STRINGS):
        for name, loaded in (("AutoTokenizer", tokenizer), ("AutoTokenizer after save_pretrained", reloaded)):
            if problem := find_problem(text, loaded, processor)[1]:
                raise UserError(f"tokenizer gate: nasty string {number} {excerpt(text)}, {name}: {problem}")
    tally = survey(tokenizer, documents, processor)
    if not tally.documents:
        raise UserError("tokenizer gate: no held-out documents. The corpus is too small: give the recipe more text.")
    if tally.problems:
        raise UserError(f"tokenizer gate: {tally.problems} of {tally.documents} held-out documents fail. "
                        f"The first: {tally.first_problem}")
    return {**tally.figures(), "nasty_strings": len(NASTY_STRINGS)}


def survey(tokenizer: PreTrainedTokenizerBase, documents: Iterable[tuple[str, str]],
           processor: SentencePieceProcessor | None = None) -> Tally:
    """Encode every document and count; note the first that loses something, or is unlike `processor`'s."""
    vocab = tokenizer.get_vocab()
    byte_ids = {index for piece, index in vocab.items() if re.fullmatch("<0x[0-9A-F]{2}>", piece)}
    tally = Tally()
    for where, text in documents:
        ids, problem = find_problem(text, tokenizer, processor)
        tally.documents += 1
        tally.bytes += len(text.encode())
        tally.characters += len(text)
        tally.eojeols += len(text.split())
        tally.tokens += len(ids)
        tally.byte_tokens += sum(index in byte_ids for index in ids)
        tally.unknown_tokens += ids.count(tokenizer.unk_token_id) if has_unknown(tokenizer) else 0
        tally.problems += problem is not None
        if problem and not tally.first_problem:
            tally.first_problem = f"{where}: {problem}"
    return tally


def find_problem(text: str, tokenizer: PreTrainedTokenizerBase,
                 processor: SentencePieceProcessor | None) -> tuple[list[int], str | None]:
    """Encode one text; return its ids, and what is wrong with them, if anything is."""
    # Our own tokenizers must do by themselves what others have to be asked for.
    options = {} if processor is not None else {"split_special_tokens": True, "verbose": False}
    ids = tokenizer.encode(text, add_special_tokens=False, **options)
    special = set(tokenizer.all_special_ids)
    if has_unknown(tokenizer) and tokenizer.unk_token_id in ids:
        at = ids.index(tokenizer.unk_token_id)
        return ids, f"an unknown token after {excerpt(tokenizer.decode(ids[:at])[-20:])}"
    if special.intersection(ids):
        at = min(ids.index(index) for index in special.intersection(ids))
        return ids, f"text became special token {tokenizer.convert_ids_to_tokens(ids[at])} (id {ids[at]})"
    decoded = {"AutoTokenizer": tokenizer.decode(ids)}
    if processor is not None:
        expected = processor.encode(text)
        if ids != expected:
            at = first_difference(ids, expected)
            return ids, (f"token {at} differs: sentencepiece {expected[at:at + 5]}, AutoTokenizer "
                         f"{ids[at:at + 5]}, after {excerpt(processor.decode(expected[:at])[-20:])}")
        decoded["sentencepiece"] = processor.decode(expected)
    for name, back in decoded.items():
        if back != text:
            at = first_difference(back, text)
            return ids, f"{name} gives back {excerpt(back[at:])} for {excerpt(text[at:])}, character {at}"
    return ids, None


def has_unknown(tokenizer: PreTrainedTokenizerBase) -> bool:
    """GPT-2's byte-level tokenizers name the end of text as unknown token, and never give it."""
    return tokenizer.unk_token_id is not None and tokenizer.unk_token_id != tokenizer.eos_token_id


def first_difference(one, other) -> int:
    """Index of the first element that differs; the shorter one's length if one begins with the other."""
    shorter = min(len(one), len(other))
    return next((index for index in range(shorter) if one[index] != other[index]), shorter)


def excerpt(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
