"""Sources that were proposed -> a recipe in TOML, with what was found in comments."""

import json
import re
import statistics
import textwrap
from collections import Counter
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

from corpora.paths import escaped, match_paths
from corpora.survey.check import Reading
from corpora.survey.groups import Proposal, Reasons
from corpora.survey.look import suffix_of

WIDTH: Final = 100
MAX_LISTED: Final = 5  # files that are named for one reason
FEW_DOCUMENTS: Final = 20
"""Of fewer none might be left for validation text, of which whole documents are taken."""

TOP: Final = """\
# Written by `make recipe` from what it found; a guess says what it rests on. Correct what is wrong,
# state the licences, and see corpora/README.md and corpora/recipe.py for all that can be set.
title = {title}
description = "What the text is, for the dataset card: fill in."
validation_share = 0.05  # of a large corpus less will do: some hundred kilobytes
"""
EVALUATION: Final = """\
# Documents that hold text of KLUE's validation sets are taken out by tables like this one, of the
# tasks nli, ynat, sts and re; data is hub, or a folder under DATA=.
#
# [[evaluation]]
# task = "nli"
# split = "validation"
# data = "hub"
"""


def write_recipe(
    root: Path, sources: list[tuple[Proposal, Reading]], reasons: Reasons
) -> tuple[str, list[str]]:
    """Return a recipe's text, and the names of its sources in order."""
    names = _name_sources([proposal for proposal, _ in sources])
    parts = [TOP.format(title=_quote(f"Text in {root.resolve().name}"))]
    for name, (proposal, reading) in zip(names, sources):
        parts.append(_write_source(root, name, proposal, reading))
    parts.append(EVALUATION)
    if reasons:
        listed = chain.from_iterable(_comment(f"- {line}") for line in list_reasons(reasons))
        parts.append("\n".join(["# Not read:", *listed, ""]))
    return "\n".join(parts), names


def list_reasons(reasons: Reasons) -> list[str]:
    """Return a line for each reason: some of the files, and why they aren't read."""
    lines: list[str] = []
    for reason, labels in reasons.items():
        files = list(dict.fromkeys(labels))
        more = f" and {len(files) - MAX_LISTED} more" if len(files) > MAX_LISTED else ""
        lines.append(escaped(f"{', '.join(files[:MAX_LISTED])}{more}: {reason}"))
    return lines


def find_patterns(root: Path, proposal: Proposal) -> list[str]:
    """Return globs that match exactly the files of a source; in the last resort their names."""
    files = {each.path for each in proposal.files}
    labels = list(dict.fromkeys(each.label for each in proposal.files))
    folder = f"{proposal.folder}/" if proposal.folder else ""
    suffix = suffix_of(labels[0])
    with_stars = sorted({re.sub(r"\d+", "*", label) for label in labels})
    for patterns in ([f"{folder}*{suffix}"], [f"{folder}**/*{suffix}"], with_stars):
        matched = {path for each in patterns for path in match_paths(each, root) if path.is_file()}
        if matched == files:
            return patterns if len(files) > 1 else labels
    return labels


def _name_sources(proposals: list[Proposal]) -> list[str]:
    """Name each by its folder, or by its only file; by its format if that isn't ASCII."""
    names: list[str] = []
    for proposal in proposals:
        place = proposal.folder if len(proposal.files) > 1 else proposal.files[0].label
        last = place.rpartition("/")[2].lower().partition(".")[0]
        slug = re.sub(r"[^a-z0-9]+", "-", last).strip("-")
        base = slug if re.search("[a-z]", slug) else proposal.files[0].look.format
        candidates = chain([base], (f"{base}-{number}" for number in count(2)))
        names.append(next(name for name in candidates if name not in names))
    return names


def _write_source(root: Path, name: str, proposal: Proposal, reading: Reading) -> str:
    paths = {each.path for each in proposal.files}
    num_bytes = sum(path.stat().st_size for path in paths)
    encodings = Counter(each.look.encoding for each in proposal.files if each.look.encoding)
    length = statistics.median(len(record.text) for record in reading.documents)
    lines = _comment(
        f"files: {len(paths):,}; bytes: {num_bytes:,}; "
        + (f"encoding: {', '.join(encodings)}; " if encodings else "")
        + f"characters of a document: {length:,.0f} (median of {len(reading.documents)})"
    )
    if reading.bad:
        num_read = len(reading.bad) + len(reading.documents)
        first = reading.bad[0]
        lines += _comment(
            f"can't be read: {len(reading.bad)} of the first {num_read} records: {first.where}: "
            f"{first.reason}"
        )
    lines += [
        "[[source]]",
        f"name = {_quote(name)}",
        'kind = "files"',
        'licence = "unknown: fill in"  # as the publisher states it',
    ]
    for key, value in {"paths": find_patterns(root, proposal), **proposal.settings}.items():
        if key in proposal.remarks:
            lines += _comment(f"{key}: {proposal.remarks[key]}")
        lines += _write_setting(key, value)
    lines.append('clean = ["whitespace"]')
    if len(reading.documents) < FEW_DOCUMENTS:
        lines.append('split = "paragraph"  # few documents: so that a part can be validation text')
    return "\n".join([*lines, ""])


def _write_setting(key: str, value: str | list[str]) -> list[str]:
    """A setting on one line, or a long list on a line each."""
    line = f"{key} = {_quote(value)}"
    if isinstance(value, list) and len(line) > WIDTH:
        return [f"{key} = [", *(f"    {_quote(each)}," for each in value), "]"]
    return [line]


def _quote(value: Any) -> str:
    """A string or a list of strings as TOML has it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _comment(text: str) -> list[str]:
    # As one line: a file's name may hold a line end.
    return textwrap.wrap(
        text, WIDTH, initial_indent="# ", subsequent_indent="#   ", break_long_words=False
    )
