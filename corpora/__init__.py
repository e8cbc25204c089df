"""Korean text: where it comes from, how it is cleaned, and the KLUE tasks as rows. Knows nothing of tokens or models.

Here stands what every package shares: the error for the user, and settings as frozen dataclasses, read strictly (types,
limits, the nearest known name for an unknown one). What a setting means stands where its dataclass does. Only the
standard library is imported.
"""
import difflib
import tomllib
from dataclasses import MISSING, field, fields
from pathlib import Path
from typing import get_args


class UserError(Exception):
    """What the user gave is wrong; the message names the file, the line or the setting, and says what to do."""


def setting(default=MISSING, help: str = "", least=None, most=None, among: tuple = (), keyed: bool = True):
    """A field with its help text and limits. One that isn't `keyed` doesn't change what a stage makes: it stays out of
    the stage's key."""
    metadata = {"help": help, "least": least, "most": most, "among": among, "keyed": keyed}
    return field(default_factory=dict, metadata=metadata) if default is dict else field(default=default, metadata=metadata)


def nearest(word: str, known: list[str]) -> str:
    """' Did you mean ...?' for an unknown word, or nothing."""
    match = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean {match[0]!r}?" if match else ""


def read_toml(path: Path) -> dict:
    """A TOML file's table; raises UserError when it isn't one, FileNotFoundError when it isn't there."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid TOML: {error}") from None


def from_table(cls: type, table: dict, where: str):
    """A dataclass from a table; raises UserError that names `where` and an unknown, missing or unfit key."""
    known = {each.name: each for each in fields(cls)}
    for key in table:
        if key not in known:
            raise UserError(f"{where}: unknown key {key!r}.{nearest(key, list(known))}")
    for name, each in known.items():
        if name not in table and each.default is MISSING and each.default_factory is MISSING:
            raise UserError(f"{where}: {name!r} is missing.")
    return cls(**{name: _fit(known[name], value, f"{where}: {name}={value}") for name, value in table.items()})


def _fit(wanted, value: object, label: str) -> object:
    """The value in the field's type and within its limits; the command line's text is converted."""
    value = _convert(wanted.type, value, label)
    least, most, among = (wanted.metadata.get(key) for key in ("least", "most", "among"))
    if (least is not None and not value >= least) or (most is not None and not value <= most):
        raise UserError(f"{label}: has to be at least {least}" + ("." if most is None else f" and at most {most}."))
    if among and value not in among:
        raise UserError(f"{label}: has to be one of {', '.join(filter(None, among))}.{nearest(str(value), list(among))}")
    return value


def _convert(wanted: type, value: object, label: str) -> object:
    if get_args(wanted):
        if isinstance(value, list) and all(isinstance(item, get_args(wanted)[0]) for item in value):
            return tuple(value)
        raise UserError(f"{label}: expected a list of {get_args(wanted)[0].__name__}.")
    try:
        if wanted is bool:
            return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
        if wanted is int and not isinstance(value, float):
            return int(str(value).replace("_", ""))
        if wanted is float:
            return float(value)
        if isinstance(value, wanted):
            return value
    except (KeyError, TypeError, ValueError):
        pass
    raise UserError(f"{label}: expected {wanted.__name__}.")
