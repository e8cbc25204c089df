"""Korean text: where it comes from, how it is cleaned, and the KLUE tasks as rows. Knows nothing of tokens or models.
Here stands what every package shares: the error for the user, and settings as frozen dataclasses, read strictly (types,
limits, the nearest known name for an unknown one) and made from rows in TOML. Only the standard library is imported."""
import difflib
import os
import signal
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, field, fields, is_dataclass, make_dataclass
from pathlib import Path


class UserError(Exception):
    """What the user gave is wrong; the message names the file, the line or the setting, and says what to do."""


def require(holds: object, said: str) -> None:
    """Raise UserError with these words unless it holds."""
    if not holds:
        raise UserError(said)


@contextmanager
def failing(what: str, advice: str = "", kinds: type | tuple = Exception) -> Iterator[None]:
    """Turn errors of these kinds into a UserError: what can't be done, why (on one line), and what to do about it."""
    try:
        yield
    except UserError:
        raise
    except kinds as error:
        reason = " ".join(str(error).split())[:500]  # some libraries' messages are pages
        raise UserError(f"{what} ({type(error).__name__}: {reason}). {advice}".rstrip()) from error


def settings_class(name: str, module: str, rows: dict[str, dict]) -> type:
    """A frozen dataclass from a TOML table's rows: setting -> default (or type, where it has to be given), help, limits
    least, most or among. One with keyed = false doesn't change what a stage makes: it stays out of the key."""
    made = []
    for key, row in rows.items():
        kind = type(row["default"]) if "default" in row else {"str": str, "float": float, "list": list}[row["type"]]
        value = tuple(row["default"]) if kind is list and "default" in row else row.get("default", MISSING)
        default = {"default_factory": dict} if kind is dict else {"default": value}
        made.append((key, kind, field(**default, metadata={"keyed": True, **row})))
    made_class = make_dataclass(name, made, frozen=True)
    made_class.__module__ = module  # for pickle
    return made_class


def nearest(word: str, known: list[str]) -> str:
    """' Did you mean ...?' for an unknown word, or nothing."""
    return "".join(f" Did you mean {match!r}?" for match in difflib.get_close_matches(word, known, n=1))


def named_file(what: str, name: str, folder: Path) -> Path:
    """folder/NAME.toml, or a path that ends in .toml; raises UserError that names the nearest when it isn't there."""
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    known = sorted(each.stem for each in folder.glob("*.toml"))
    require(path.is_file(), f"{what} {name!r}: there is no {path}.{nearest(name, known)} "
                            f"Give one of {', '.join(known)}, or the path of a .toml file.")
    return path


def read_toml(path: Path) -> dict:
    """A TOML file's table; raises UserError when it isn't one."""
    with failing(f"{path}: not valid TOML", kinds=(tomllib.TOMLDecodeError, UnicodeDecodeError)):
        return tomllib.loads(path.read_text(encoding="utf-8"))


def from_table(cls: type, table: dict, where: str):
    """A dataclass from a table; raises UserError that names `where` and an unknown, missing or unfit key."""
    known = {each.name: each for each in fields(cls)}
    if unknown := [key for key in table if key not in known]:
        raise UserError(f"{where}: unknown key {unknown[0]!r}.{nearest(unknown[0], list(known))}")
    for name, each in known.items():
        require(name in table or "default" in each.metadata, f"{where}: {name!r} is missing.")
    return cls(**{name: _fit(known[name], value, f"{where}: {name}={value}") for name, value in table.items()})


def _fit(wanted, value: object, label: str) -> object:
    """The value in the field's type and within its limits; the command line's text is converted."""
    kind = wanted.type
    try:
        if kind is bool:
            value = {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
        elif kind in (int, float):
            value = kind(str(value))  # true is no number
        elif not isinstance(value, kind) or not all(isinstance(each, str) or is_dataclass(each) for each in value):
            raise TypeError
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{label}: expected {'a list of str' if kind is list else kind.__name__}.") from None
    least, most, among = (wanted.metadata.get(key) for key in ("least", "most", "among"))
    if (least is not None and not value >= least) or (most is not None and not value <= most):
        raise UserError(f"{label}: has to be at least {least}" + ("." if most is None else f" and at most {most}."))
    if among and value not in among:
        raise UserError(f"{label}: has to be one of {', '.join(filter(None, among))}.{nearest(str(value), among)}")
    return tuple(value) if kind is list else value


def follow_parent() -> None:
    """In a worker process: leave Ctrl-C to the parent, and end when the parent does, even when it's killed."""
    from multiprocessing import connection, parent_process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=lambda: (connection.wait([parent_process().sentinel]), os._exit(1)), daemon=True).start()
