"""Korean text: where it comes from, how it is cleaned, and the KLUE tasks as rows. Knows nothing of tokens or models."""


class UserError(Exception):
    """What the user gave is wrong; the message names the file, the line or the setting, and says what to do."""
