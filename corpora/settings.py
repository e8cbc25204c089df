"""The base of every settings class, and how one is read from TOML and from the command line.

A settings class is a frozen pydantic model: types and limits are its fields', the string under a
field is its help. What can't be read ends in one UserError that names the place, the setting and,
for an unknown one, the nearest known one."""

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Self, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from corpora.errors import UserError, as_user_error, require

UNKEYED: Final = "unkeyed"
"""Marks a field, as `Annotated[int, UNKEYED]`, that changes no byte of what a stage makes: it stays
out of the key."""

RULE: Final = "rule_between_settings"
EXPECTED: Final = {
    "int": "int",
    "float": "float",
    "bool": "bool",
    "string": "str",
    "tuple": "a list of str",
    "dict": "a table",
}
"""What a field of a type wants, by how pydantic begins the names of that type's errors."""


class Settings(BaseModel):
    """A frozen set of settings that takes nothing it doesn't know and converts nothing."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def from_table(cls, table: dict[str, Any], where: str) -> Self:
        """Make the settings from a TOML table.

        Raises UserError that begins with `where` and names an unknown, missing or unfit key.
        """
        try:
            return cls.model_validate(lists_to_tuples(table))
        except ValidationError as error:
            raise UserError(f"{where}: {cls.explain(error)}") from None

    @classmethod
    def from_table_and_texts(cls, table: dict[str, Any], texts: dict[str, Any], where: str) -> Self:
        """Make the settings from a TOML table, which has to be valid by itself, and from texts that
        take precedence: `{"steps": "200", "epochs": {"nli": "4"}}`. The words of a list are
        separated by spaces.

        Raises UserError that begins with `where`, the place of the texts.
        """
        merged = lists_to_tuples(table)
        for name, given in texts.items():
            field = cls.model_fields.get(name)
            if isinstance(given, dict):
                before = merged.get(name, {})
                merged[name] = before | given if isinstance(before, dict) else given
            elif field is not None and get_origin(field.annotation) is tuple:
                merged[name] = tuple(given.split())
            else:
                merged[name] = given
        try:
            return cls.model_validate(merged, strict=False)
        except ValidationError as error:
            raise UserError(f"{where}: {cls.explain(error)}") from None

    @classmethod
    def explain(cls, error: ValidationError) -> str:
        """Say the first thing that is wrong, in the words of a setting and its limits."""
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
        if first["type"] == "extra_forbidden":
            return f"unknown key {name!r}.{nearest(name, cls.model_fields)}"
        if first["type"] == "missing":
            return f"{name!r} is missing."
        if first["type"] == RULE:
            return first["msg"]
        return f"{name}={first['input']}: {cls._explain_value(first)}"

    @classmethod
    def _explain_value(cls, error: ErrorDetails) -> str:
        context = error.get("ctx", {})
        if error["type"] == "literal_error":
            choices = re.findall("'([^']+)'", context["expected"])
            hint = nearest(str(error["input"]), choices)
            return f"has to be one of {', '.join(choices)}.{hint}"
        if {"ge", "le"} & context.keys():
            limits = context | cls._limits_of(str(error["loc"][0]))
            words = {"ge": "at least", "le": "at most"}
            said = [f"{word} {limits[kind]}" for kind, word in words.items() if kind in limits]
            return f"has to be {' and '.join(said)}."
        kind, _, _ = error["type"].partition("_")
        if kind in EXPECTED:
            return f"expected {EXPECTED[kind]}."
        return f"{error['msg']}."

    @classmethod
    def _limits_of(cls, name: str) -> dict[str, float]:
        """Both limits of a field: an error tells only of the one that was passed."""
        bounds = cls.model_fields[name].metadata
        return {
            kind: getattr(bound, kind)
            for kind in ("ge", "le")
            for bound in bounds
            if hasattr(bound, kind)
        }

    def keyed(self) -> dict[str, Any]:
        """The settings that change a stage's bytes, as a JSON object."""
        unkeyed = {
            name for name, field in type(self).model_fields.items() if UNKEYED in field.metadata
        }
        return self.model_dump(mode="json", exclude=unkeyed)


def broken_rule(message: str) -> PydanticCustomError:
    """The error for a validator of two settings to raise: its message is shown as it is."""
    return PydanticCustomError(RULE, "{message}", {"message": message})


def lists_to_tuples(value: Any) -> Any:
    """A TOML value with tuples in place of lists, at any depth: frozen settings hold no lists."""
    if isinstance(value, dict):
        return {key: lists_to_tuples(each) for key, each in value.items()}
    if isinstance(value, list):
        return tuple(lists_to_tuples(each) for each in value)
    return value


def nearest(word: str, known: Iterable[str]) -> str:
    """' Did you mean ...?' for an unknown word, or nothing."""
    matches = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {matches[0]!r}?" if matches else ""


def find_named_file(what: str, name: str, folder: Path) -> Path:
    """Return folder/NAME.toml, or the path that `name` is if it ends in .toml.

    Raises UserError that names the nearest file when it isn't there.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    known = sorted(each.stem for each in folder.glob("*.toml"))
    require(
        path.is_file(),
        f"{what} {name!r}: there is no {path}.{nearest(name, known)} "
        f"Give one of {', '.join(known)}, or the path of a .toml file.",
    )
    return path


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file's table; raises UserError when it isn't one."""
    with as_user_error(
        f"{path}: not valid TOML", kinds=(tomllib.TOMLDecodeError, UnicodeDecodeError)
    ):
        return tomllib.loads(path.read_text(encoding="utf-8"))
