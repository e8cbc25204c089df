"""Analysers that die, hang or change the text, to be opened in processes of their own. Little is
imported here, because each of those processes does so again."""

import os
import signal
import time
from pathlib import Path

from tokenizer.morphemes import Analyser


def open_characters() -> Analyser:
    """Every character is a morpheme."""
    return list


def open_changing() -> Analyser:
    """Changes every line."""
    return lambda line: ["다른", "말"]


def open_treacherous() -> Analyser:
    """Hangs on one line and takes its process with it on another."""

    def analyse(line: str) -> list[str]:
        if line == "멈춘다":
            time.sleep(1000)
        if line == "죽는다":
            die()
        return list(line)

    return analyse


def open_mortal(once: Path) -> Analyser:
    """Dies on one line, the first time: then there is the file `once`."""

    def analyse(line: str) -> list[str]:
        if line == "다라" and not once.exists():
            once.touch()
            die()
        return list(line)

    return analyse


def open_sleeping() -> Analyser:
    """Hangs when it is opened."""
    time.sleep(1000)
    return list


def open_dead() -> Analyser:
    """Dies when it is opened."""
    die()
    return list


def die() -> None:
    """End this process as if it were killed for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
