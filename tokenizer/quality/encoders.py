"""Any tokenizer, whatever library it is for, as one thing: an Encoder; and how each is opened."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from corpora.errors import as_user_error, require


class Located(NamedTuple):
    """A text's tokens, and where they begin."""

    ids: list[int]
    starts: list[int]  # for each token the index of the character that it begins in


class Encoder(NamedTuple):
    """One way to encode, without special tokens added."""

    name: str
    encode: Callable[[str], list[int]]
    decode: Callable[[list[int]], str]
    locate: Callable[[str], Located]
    pieces: list[str]  # by id, as the library writes them; "" where there is none of an id
    special: frozenset[int]  # ids that no text may become, the unknown token's among them
    unknown: int | None


def open_encoders(folder: Path) -> list[Encoder]:
    """The four ways to use what this project exports: they have to agree."""
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    with tempfile.TemporaryDirectory() as copy:
        tokenizer.save_pretrained(copy)
        reloaded = AutoTokenizer.from_pretrained(copy)
    bare = Tokenizer.from_file(str(folder / "tokenizer.json"))
    bare.encode_special_tokens = True  # which AutoTokenizer sets by split_special_tokens
    loaded = from_transformers(tokenizer, "AutoTokenizer")
    return [
        from_sentencepiece(folder / "sentencepiece.model"),
        loaded,
        from_transformers(reloaded, "AutoTokenizer after save_pretrained"),
        loaded._replace(
            name="tokenizers", encode=lambda text: bare.encode(text).ids, decode=bare.decode
        ),
    ]


def open_any(path: Path) -> Encoder:
    """Open a folder with a tokenizer.json, or a SentencePiece model: a file, or the only .model in
    a folder.

    Raises UserError if there is none, or it can't be read. No code from the folder is run.
    """
    if path.name == "tokenizer.json" or (path / "tokenizer.json").is_file():
        tokenizer = load_fast(path.parent if path.is_file() else path)
        return from_transformers(tokenizer, path.name, split_special_tokens=True)
    models = [path] if path.is_file() else sorted(path.glob("*.model"))
    require(
        len(models) == 1,
        f"{path}: no tokenizer can be loaded from here: no tokenizer.json, and {len(models)} "
        ".model files. Name one of those, or save it once with AutoTokenizer, which writes "
        "tokenizer.json.",
    )
    return from_sentencepiece(models[0], path.name)


def load_fast(folder: Path) -> PreTrainedTokenizerFast:
    """Load tokenizer.json as it stands: a fast tokenizer is all in there, whatever class its config
    names.

    Raises UserError if it isn't there or can't be read.
    """
    require(
        (folder / "tokenizer.json").is_file(),
        f"{folder}: has no tokenizer.json. Load it once with AutoTokenizer and save_pretrained, "
        "which writes one.",
    )
    # tokenizers raise a bare Exception
    with as_user_error(f"{folder}: its tokenizer can't be loaded"):
        return PreTrainedTokenizerFast.from_pretrained(folder)


def from_sentencepiece(path: Path, name: str = "sentencepiece") -> Encoder:
    """A SentencePiece model as an Encoder; raises UserError for a file that is damaged."""
    with as_user_error(
        f"{path}: no SentencePiece model, or damaged", kinds=(RuntimeError, OSError)
    ):
        processor = SentencePieceProcessor(model_file=str(path))

    def locate(text: str) -> Located:
        found = processor.encode(text, return_type="offset_mapping")
        return Located(found["ids"], [start for start, _ in found["offsets"]])

    ids = range(len(processor))
    return Encoder(
        name,
        processor.encode,
        processor.decode,
        locate,
        pieces=[processor.id_to_piece(index) for index in ids],
        special=frozenset(
            index for index in ids if processor.is_control(index) or processor.is_unknown(index)
        ),
        unknown=processor.unk_id(),
    )


def from_transformers(
    tokenizer: PreTrainedTokenizerBase, name: str, split_special_tokens: bool = False
) -> Encoder:
    """A tokenizer of transformers as an Encoder.

    With `split_special_tokens` text that looks like a special token stays text; without, what the
    tokenizer's own config says of that holds.
    """
    options: dict[str, Any] = {"add_special_tokens": False, "verbose": False}
    if split_special_tokens:
        options["split_special_tokens"] = True

    def locate(text: str) -> Located:
        found = tokenizer(text, return_offsets_mapping=True, **options)
        return Located(found["input_ids"], [start for start, _ in found["offset_mapping"]])

    num_ids = max(tokenizer.get_vocab().values()) + 1
    # None where there is no piece of an id, though its type doesn't say so.
    pieces = cast("list[str | None]", tokenizer.convert_ids_to_tokens(list(range(num_ids))))
    # GPT-2's byte-level tokenizers name the end of text as unknown token, and never give it.
    has_unknown = tokenizer.unk_token_id != tokenizer.eos_token_id
    return Encoder(
        name,
        partial(tokenizer.encode, **options),
        # By its type it could give a list of texts, which it does for a list of lists.
        cast("Callable[[list[int]], str]", tokenizer.decode),
        locate,
        pieces=[piece or "" for piece in pieces],
        special=frozenset(tokenizer.all_special_ids),
        unknown=cast("int | None", tokenizer.unk_token_id) if has_unknown else None,
    )
