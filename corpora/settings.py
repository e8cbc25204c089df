"""The base of every settings class, and how one is read from TOML and from the command line.

A settings class is a frozen pydantic model: types and limits are its fields', the string under a
field is its help. What can't be read ends in one UserError that names the place, the setting and,
for an unknown one, the nearest known one."""

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from corpora.errors import UserError, as_user_error, require
from corpora.paths import find_path

UNKEYED: Final = "unkeyed"
"""Marks a field, as `Annotated[int, UNKEYED]`, that changes no byte of what a stage makes: it stays
out of the stage's key."""

KEYED_IF_CHANGED: Final = "keyed if changed"
"""Marks a field that is left out of the key as long as it has its default, which is right on any
machine; another choice changes what a stage makes."""

RULE: Final = "rule_between_settings"
UNKNOWN: Final = "extra_forbidden"
MISSING: Final = "missing"
NUMBERS_OR_WORDS: Final = ("constrained-int", "constrained-float")
"""How pydantic calls a number among the alternatives of a field."""
SCALARS: Final = {"int": "int", "float": "float", "bool": "bool", "string": "str"}
"""Types of a single value, by how pydantic begins the names of their errors."""
LIMITS: Final = {"ge": "at least", "le": "at most"}


class Settings(BaseModel):
    """A frozen set of settings that takes nothing it doesn't know and guesses at no types."""

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
        return cls._validate(_lists_to_tuples(table), where, strict=True)

    @classmethod
    def from_table_and_texts(cls, table: dict[str, Any], texts: dict[str, Any], where: str) -> Self:
        """Make the settings from a TOML table, which has to be valid by itself, and from texts that
        take precedence: `{"steps": "200", "epochs": {"nli": "4"}}`. The words of a list are
        separated by spaces.

        Raises UserError that begins with `where`, the place of the texts.
        """
        merged = _lists_to_tuples(table)
        for name, given in texts.items():
            field = cls.model_fields.get(name)
            if isinstance(given, dict):
                in_table = merged.get(name, {})
                merged[name] = in_table | given if isinstance(in_table, dict) else given
            elif field and get_origin(field.annotation) is tuple:
                merged[name] = tuple(given.split())
            else:
                merged[name] = given
        return cls._validate(merged, where, strict=False)

    @classmethod
    def _validate(cls, table: dict[str, Any], where: str, strict: bool) -> Self:
        try:
            return cls.model_validate(table, strict=strict)
        except ValidationError as error:
            raise UserError(f"{where}: {cls._explain(error)}") from None

    def keyed(self) -> dict[str, Any]:
        """Return the settings that change a stage's bytes, as a JSON object."""
        unkeyed = {
            name
            for name, field in type(self).model_fields.items()
            if UNKEYED in field.metadata
            or (KEYED_IF_CHANGED in field.metadata and getattr(self, name) == field.default)
        }
        return self.model_dump(mode="json", exclude=unkeyed)

    @classmethod
    def _explain(cls, error: ValidationError) -> str:
        """Say one thing that is wrong, in the words of a setting and its limits.

        An unknown key comes first, because a missing one may be just that, misspelt.
        """
        errors = error.errors(include_url=False)
        unknown = [each for each in errors if each["type"] == UNKNOWN]
        missing = [each for each in errors if each["type"] == MISSING]
        first = [*unknown, *missing, *errors][0]
        # Of a setting that may be a number or a word, pydantic names the alternative as well.
        parts = [part for part in first["loc"] if isinstance(part, str)]
        name = ".".join(part for part in parts if part not in NUMBERS_OR_WORDS)
        if unknown:
            return f"unknown key {name!r}.{nearest(name, cls.model_fields)}"
        if missing:
            return f"{name!r} is missing."
        if first["type"] == RULE:
            return first["msg"]
        given = first["input"]
        shown = list(given) if isinstance(given, tuple) else given
        return f"{name}={shown}: {cls._explain_value(first)}"

    @classmethod
    def _explain_value(cls, error: ErrorDetails) -> str:
        field = cls.model_fields[str(error["loc"][0])]
        if error["type"] == "literal_error":
            choices = _choices_of(field.annotation)
            hint = nearest(str(error["input"]), choices)
            return f"has to be one of {', '.join(choices)}.{hint}"
        if error["type"] in ("greater_than_equal", "less_than_equal"):
            limits = error.get("ctx", {})  # the one that was passed; the field may have the other
            for bound in field.metadata:
                limits |= {kind: getattr(bound, kind) for kind in LIMITS if hasattr(bound, kind)}
            said = [f"{word} {limits[kind]}" for kind, word in LIMITS.items() if kind in limits]
            return f"has to be {' and '.join(said)}."
        kind, _, problem = error["type"].partition("_")
        is_of_list = any(isinstance(part, int) for part in error["loc"])
        if is_of_list or kind not in SCALARS:
            return f"expected {_describe_type(field.annotation)}."
        if words := _choices_of(field.annotation):
            return f"expected {SCALARS[kind]} or {', '.join(words)}."
        is_quoted = isinstance(error["input"], str) and problem == "type"
        return f"expected {SCALARS[kind]}{', without quotes' if is_quoted else ''}."


def _lists_to_tuples(value: Any) -> Any:
    """A TOML value with tuples in place of lists, at any depth."""
    if isinstance(value, dict):
        return {key: _lists_to_tuples(each) for key, each in value.items()}
    if isinstance(value, list):
        return tuple(_lists_to_tuples(each) for each in value)
    return value


def broken_rule(message: str) -> PydanticCustomError:
    """Return the error for a validator to raise whose message is shown as it is."""
    return PydanticCustomError(RULE, "{message}", {"message": message})


def _choices_of(annotation: Any) -> list[str]:
    """The names that a Literal, or a tuple of them, allows, but for "", which is no name."""
    if get_origin(annotation) is Literal:
        return [choice for choice in get_args(annotation) if choice]
    return [choice for inner in get_args(annotation) for choice in _choices_of(inner)]


def _describe_type(annotation: Any) -> str:
    """A field's type in the words of TOML and Python."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _describe_type(get_args(annotation)[0])
    if origin is tuple:
        return f"a list of {_describe_type(get_args(annotation)[0])}"
    if origin is Literal:
        return "str"
    if origin is dict:
        return "a table"
    return annotation.__name__


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ' Did you mean ...?' for an unknown word, or nothing."""
    matches = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {matches[0]!r}?" if matches else ""


def find_named_file(what: str, name: str, folder: Path) -> Path:
    """Return folder/NAME.toml, or the path that `name` is if it ends in .toml.

    Raises UserError that names the nearest file when it isn't there.
    """
    path = find_path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    known = sorted(each.stem for each in folder.glob("*.toml"))
    require(
        path.is_file(),
        f"{what} {name!r}: there is no {path}.{nearest(name, known)} "
        f"Give one of {', '.join(known)}, or the path of a .toml file.",
    )
    return path


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file's table; raises UserError when it isn't one."""
    with as_user_error(f"{path}: not in UTF-8", "Save it as UTF-8.", UnicodeDecodeError):
        text = path.read_text(encoding="utf-8-sig")  # Windows' editors begin it with a mark
    with as_user_error(f"{path}: not valid TOML", kinds=tomllib.TOMLDecodeError):
        return tomllib.loads(text)
