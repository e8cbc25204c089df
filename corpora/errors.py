"""The error that is for the user, and the two ways to raise it. Nothing else in the project ends a
command with a message."""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """What the user gave is wrong; the message names the file, the line or the setting, and says
    what to do."""


def require(holds: object, message: str) -> None:
    """Raise UserError with this message unless `holds` is true."""
    if not holds:
        raise UserError(message)


@contextmanager
def as_user_error(
    what: str,
    advice: str = "",
    kinds: type[BaseException] | tuple[type[BaseException], ...] = Exception,
) -> Iterator[None]:
    """Turn errors of these kinds into a UserError.

    Its message says what can't be done, why (the error's own words, on one line) and, in `advice`,
    what to do about it. A UserError from inside passes through as it is.
    """
    try:
        yield
    except UserError:
        raise
    except kinds as error:
        reason = " ".join(str(error).split())[:500]  # some libraries' messages are pages
        message = f"{what} ({type(error).__name__}: {reason}). {advice}".rstrip()
        raise UserError(message) from error
