"""Any tokenizer, whatever library it is for, as one thing: text -> ids and where they begin, ids -> text."""
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from corpora import UserError, failing


@dataclass(frozen=True)
class Encoder:
    """One way to encode, without special tokens added."""
    name: str
    encode: Callable[[str], list[int]]
    decode: Callable[[list[int]], str]
    locate: Callable[[str], tuple[list[int], list[int]]] | None  # ids, and the index of the character each begins in
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
            replace(loaded, name="tokenizers", encode=lambda text: bare.encode(text).ids, decode=bare.decode,
                    locate=None)]


def open_any(path: Path) -> Encoder:
    """Open a folder with a tokenizer.json, or a SentencePiece model (a file, or the only .model in a folder). Raises
    UserError if there is none, or it can't be read. No code from the folder is run."""
    if path.name == "tokenizer.json" or (path / "tokenizer.json").is_file():
        tokenizer = load_fast(path.parent if path.is_file() else path)
        return from_transformers(tokenizer, path.name, split_special_tokens=True)
    models = [path] if path.is_file() else sorted(path.glob("*.model"))
    if len(models) != 1:
        raise UserError(f"{path}: no tokenizer can be loaded from here: no tokenizer.json, and {len(models)} .model files. "
                        "Name one of those, or save it once with AutoTokenizer, which writes tokenizer.json.")
    return from_sentencepiece(models[0], path.name)


def load_fast(folder: Path) -> PreTrainedTokenizerFast:
    """Load tokenizer.json as it stands: a fast tokenizer is all in there, whatever class its config names."""
    if not (folder / "tokenizer.json").is_file():
        raise UserError(f"{folder}: has no tokenizer.json. Load it once with AutoTokenizer and save_pretrained, which "
                        "writes one.")
    with failing(f"{folder}: its tokenizer can't be loaded"):  # tokenizers raise a bare Exception
        return PreTrainedTokenizerFast.from_pretrained(folder)


def from_sentencepiece(path: Path, name: str = "sentencepiece") -> Encoder:
    """Raises UserError for a file that is damaged."""
    with failing(f"{path}: no SentencePiece model, or damaged", kinds=(RuntimeError, OSError)):
        processor = SentencePieceProcessor(model_file=str(path))

    def locate(text: str) -> tuple[list[int], list[int]]:
        found = processor.encode(text, return_type="proto").pieces
        first_bytes = np.frombuffer(text.encode(), np.uint8) & 0xC0 != 0x80
        characters = np.append(np.cumsum(first_bytes) - 1, len(text))  # by byte
        return [piece.id for piece in found], characters[[piece.begin for piece in found]].tolist() if found else []

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

    size = max(tokenizer.get_vocab().values()) + 1
    # GPT-2's byte-level tokenizers name the end of text as unknown token, and never give it.
    unknown = tokenizer.unk_token_id if tokenizer.unk_token_id != tokenizer.eos_token_id else None
    return Encoder(name, lambda text: tokenizer.encode(text, **options), tokenizer.decode, locate,
                   [tokenizer.convert_ids_to_tokens(index) or "" for index in range(size)],
                   frozenset(tokenizer.all_special_ids), unknown)
