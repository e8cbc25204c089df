"""What a tokenizer.json and its config say beside the vocabulary: which tokens are put around a
text, and which are found in it."""

from typing import Any

NAMES_OF_SPECIAL = ("additional_special_tokens", "extra_special_tokens")
"""Where a tokenizer_config.json lists special tokens that have no role of their own."""

Piece = tuple[str, int]
"""A token, and its id."""


def set_template(
    content: dict[str, Any], single: list[Piece | str], pair: list[Piece | str]
) -> None:
    """Have a tokenizer.json put tokens around a text, and around a pair of texts, which "A" and "B"
    stand for."""
    tokens = {piece for piece in (*single, *pair) if not isinstance(piece, str)}
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [_as_step(piece) for piece in single],
        "pair": [_as_step(piece) for piece in pair],
        "special_tokens": {
            name: {"id": name, "ids": [number], "tokens": [name]} for name, number in sorted(tokens)
        },
    }


def _as_step(piece: Piece | str) -> dict[str, Any]:
    if isinstance(piece, str):
        return {"Sequence": {"id": piece, "type_id": 0}}
    return {"SpecialToken": {"id": piece[0], "type_id": 0}}


def add_tokens(content: dict[str, Any], tokens: list[Piece], special: bool) -> None:
    """Have a tokenizer.json find tokens in a text that it doesn't list yet.

    Those that aren't special are found although what looks like a special token is text where the
    config says `split_special_tokens`.
    """
    known = {token["id"] for token in content["added_tokens"]}
    for name, number in tokens:
        if number not in known:
            known.add(number)
            content["added_tokens"].append(
                {
                    "id": number,
                    "content": name,
                    "single_word": False,
                    "lstrip": False,
                    "rstrip": False,
                    "normalized": False,
                    "special": special,
                }
            )
    content["added_tokens"].sort(key=lambda token: token["id"])


def unlist(options: dict[str, Any], names: set[str]) -> None:
    """Take tokens out of the lists of a tokenizer_config.json."""
    for key in NAMES_OF_SPECIAL:
        if key in options:
            options[key] = [name for name in options[key] if name not in names]
